import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { BriefCache } from './brief-cache.ts'

let ms = 0
let loads: string[] = []
let cache: BriefCache<string>
const get = (key: string) =>
  cache.get(key, () => {
    loads.push(key)
    return key === 'bad' ? Promise.reject(new Error('bad')) : Promise.resolve(`${key}${loads.length}`)
  })

beforeEach(() => {
  ms = 0
  loads = []
  cache = new BriefCache({ msMax: 100, entriesMax: 2, elapsed: () => ms })
})

test('a value is used again until it is old, and simultaneous look-ups are one', async () => {
  assert.deepEqual(await Promise.all([get('a'), get('a')]), ['a1', 'a1'])
  ms = 99
  assert.equal(await get('a'), 'a1')
  ms = 100
  assert.equal(await get('a'), 'a2')
})

test('a failure is not remembered', async () => {
  await assert.rejects(get('bad'))
  await assert.rejects(get('bad'))
  assert.equal(loads.length, 2)
})

test('the oldest entry goes when there are too many', async () => {
  for (const key of ['a', 'b', 'c', 'b', 'a']) await get(key)
  assert.deepEqual(loads, ['a', 'b', 'c', 'a'])
})
