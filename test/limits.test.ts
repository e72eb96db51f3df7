import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baseNameOf, facts, isBound, readConstants } from '../scripts/limits/bounds.ts'
import { faultsOf, readLimitsPage, renewedPage } from '../scripts/limits/page.ts'

const constants = readConstants()
const page = readLimitsPage()

test('every bound of the code has one row in docs/reference/limits.md, and every row has its constant', () => {
  assert.ok(constants.filter(isBound).length > 250, `${constants.filter(isBound).length} bounds were found`)
  assert.deepEqual(faultsOf(page, constants), [])
})

test('the values and files of docs/reference/limits.md are those of the code', () => {
  const renewed = renewedPage(page, constants).split('\n')
  const others = page.split('\n').filter((line, at) => line !== renewed[at])
  assert.deepEqual(others, [], `run npm run pages: ${others.join('\n')}`)
})

test('every name that is excepted from the limits is in the code', () => {
  const named = constants.map(baseNameOf)
  assert.deepEqual(
    facts.filter((fact) => !named.includes(fact)),
    [],
  )
})

test('a page whose values, rows or files do not fit is told', () => {
  const known = [
    { name: 'pauseMsMax', file: 'records/write.ts', value: 120_000 },
    { name: 'pauseMsMax', file: 'http/other.ts', value: 1 },
    { name: 'roomBytesMax', file: 'files/room.ts', value: 64 * 1024 },
  ]
  const rows = [
    '| pause | 1 s | ends | `pauseMsMax` | `moved/write.ts` |',
    '| gone | 1 | ends | `goneMax` | `files/room.ts` |',
  ]
  const renewed = '| pause | 2 min | ends | `pauseMsMax` | `records/write.ts` |'
  assert.equal(renewedPage(rows.join('\n'), known), [renewed, rows[1]].join('\n'))
  assert.deepEqual(faultsOf([...rows, renewed, '| no file | 1 | | `xMax` | |'].join('\n'), known), [
    'cannot be read: | no file | 1 | | `xMax` | |',
    'files/room.ts has no number goneMax',
    'pauseMsMax of http/other.ts has no row',
    'roomBytesMax of files/room.ts has no row',
    'pauseMsMax has two rows',
  ])
})
