import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inHalves } from './in-halves.ts'

const halvedKeysMin = 1_000

const keysOf = (size: number) => Array.from({ length: size }, (_, index) => index)

test('all of a list is asked about, in order; in halves when it is long', async () => {
  for (const size of [0, 1, 3, halvedKeysMin - 1, halvedKeysMin, halvedKeysMin + 1, 20_000]) {
    const asked: number[] = []
    const answers = await inHalves(keysOf(size), async (half) => {
      asked.push(half.length)
      return half.map((key) => `${key}`)
    })
    assert.deepEqual(answers, keysOf(size).map(String))
    assert.deepEqual(asked, size < halvedKeysMin ? [size] : [size >> 1, size - (size >> 1)])
  }
})

test('an error of either half is an error', async () => {
  for (const failing of [0, halvedKeysMin - 1]) {
    const ask = async (half: readonly number[]) => {
      if (half.includes(failing)) throw new Error('no answer')
      return half
    }
    await assert.rejects(inHalves(keysOf(halvedKeysMin), ask), /no answer/)
  }
})
