import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOptions } from './options.ts'

test('everything has a default', () => {
  const { patients, repeats, keep, writeDocs, databaseUrl, json, only } = readOptions([])
  assert.deepEqual(
    [patients, repeats, keep, writeDocs, databaseUrl, json, only.size],
    [5_000, 3, false, false, undefined, undefined, 9],
  )
})

test('numbers are taken at their bounds, and refused below and above', () => {
  for (const [flag, low, high] of [
    ['--patients', 40, 20_000],
    ['--repeats', 1, 50],
  ] as const) {
    for (const value of [low, high]) assert.doesNotThrow(() => readOptions([flag, `${value}`]))
    for (const value of [low - 1, high + 1, 'many', '1e3']) {
      assert.throws(() => readOptions([flag, `${value}`]), new RegExp(`${flag} .* is not possible`))
    }
  }
})

test('only known measures can be chosen, and the documents need all of them', () => {
  assert.deepEqual([...readOptions(['--only', 'warm, cold']).only], ['warm', 'cold'])
  assert.deepEqual([...readOptions(['--shapes']).only], ['shapes'])
  assert.throws(() => readOptions(['--only', 'warm,tepid']), /no measure "tepid"/)
  assert.throws(() => readOptions(['--only', 'warm', '--write-docs']), /needs all figures/)
})
