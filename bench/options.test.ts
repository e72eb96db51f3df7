import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attacks } from './hostile/attacks.ts'
import { readOptions } from './options.ts'

test('everything has a default', () => {
  const { patients, repeats, keep, writeDocs, databaseUrl, json, only } = readOptions([])
  assert.deepEqual(
    [patients, repeats, keep, writeDocs, databaseUrl, json, only.size],
    [5_000, 3, false, false, undefined, undefined, 9],
  )
})

test('numbers are taken at their bounds, and refused below and above', () => {
  for (const [flag, low, high, ...more] of [
    ['--patients', 40, 20_000],
    ['--repeats', 1, 50],
    ['--seconds', 1, 3_600, '--hostile'],
    ['--minutes', 1, 10_080, '--soak'],
    ['--bundles', 1, 10_000],
  ] as const) {
    for (const value of [low, high]) assert.doesNotThrow(() => readOptions([...more, flag, `${value}`]))
    for (const value of [low - 1, high + 1, 'many', '1e3']) {
      assert.throws(() => readOptions([...more, flag, `${value}`]), new RegExp(`${flag} .* is not possible`))
    }
  }
})

test('only known measures can be chosen, and the documents need all of them', () => {
  assert.deepEqual([...readOptions(['--only', 'warm, cold']).only], ['warm', 'cold'])
  assert.deepEqual([...readOptions(['--shapes']).only], ['shapes'])
  assert.throws(() => readOptions(['--only', 'warm,tepid']), /no measure "tepid"/)
  assert.throws(() => readOptions(['--only', 'warm', '--write-docs']), /needs all figures/)
})

test('attacks, a soak and Bundles are measures of their own, with a store of their own', () => {
  assert.equal(readOptions([]).under, undefined)
  assert.deepEqual(readOptions(['--hostile']).under, { kind: 'attack', seconds: 15, attacks })
  assert.deepEqual(readOptions(['--soak']).under, { kind: 'soak', minutes: 60 })
  assert.equal(readOptions(['--soak']).patients, 1_000)
  assert.deepEqual(readOptions(['--bundles']).under, { kind: 'bundles', bundles: 400 })
  assert.throws(() => readOptions(['--hostile', '--soak']), /measures of their own/)
  assert.throws(() => readOptions(['--bundles', '--soak']), /measures of their own/)
  for (const flag of ['--hostile', '--soak', '--bundles']) {
    assert.throws(() => readOptions([flag, '--database-url', 'postgresql://x/y']), /store of their own/)
  }
})

test('attacks are chosen by pieces of their names, and a piece of none is refused', () => {
  const chosen = (...words: string[]) => {
    const { under } = readOptions(['--hostile', ...words])
    return under?.kind === 'attack' ? under.attacks.map(({ name }) => name) : []
  }
  assert.deepEqual(chosen('--only', 'silent, wrong'), ['2000 silent sockets', 'wrong tokens'])
  for (const { name } of attacks) assert.ok(chosen('--only', name).includes(name), name)
  for (const words of ['nonsuch', 'silent,nonsuch', 'silent,', '']) {
    assert.throws(() => readOptions(['--hostile', '--only', words]), /There is no attack/, words)
  }
  assert.throws(() => readOptions(['--soak', '--only', 'silent']), /all attacks in turn/)
})
