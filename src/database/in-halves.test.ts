import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inHalves } from './in-halves.ts'

test('all of a list is asked about, in order', async () => {
  for (const size of [0, 1, 2, 3, 20_000]) {
    const keys = Array.from({ length: size }, (_, index) => index)
    assert.deepEqual(await inHalves(keys, async (half) => half.map((key) => `${key}`)), keys.map(String))
  }
})

test('an error of either half is an error', async () => {
  const ask = async (half: readonly number[]) => {
    if (half.includes(2)) throw new Error('no answer')
    return half
  }
  await assert.rejects(inHalves([2, 3], ask), /no answer/)
  await assert.rejects(inHalves([1, 2], ask), /no answer/)
})
