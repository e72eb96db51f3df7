import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../failure.ts'
import { checkOrder, type ExportOrder, parsePatients } from './order.ts'

const order = (more: Partial<ExportOrder>): ExportOrder => ({
  selection: { patients: ['1'] },
  types: [],
  typeFilters: [],
  includeAssociatedData: [],
  ...more,
})

test('a list of patients holds ids or references, comments, blank lines and repeats', () => {
  const text = '# cohort\n12783127\nPatient/12783128  # moved\r\n\n12783127\n'
  assert.deepEqual(parsePatients(text), ['12783127', '12783128'])
})

test('S-23: 20,000 patients pass, one more is refused with advice to split the list', () => {
  const list = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`).join('\n')
  assert.equal(parsePatients(list(20_000)).length, 20_000)
  assert.throws(
    () => parsePatients(list(20_001)),
    (error) => error instanceof Failure && /split/i.test(error.advice),
  )
})

test('an order that no server could accept is refused before anything is sent', () => {
  checkOrder(order({ types: ['Condition'], since: '2021-03-18T19:19:42Z' }))
  const refused: Partial<ExportOrder>[] = [
    { selection: { patients: [] } },
    { selection: { patients: ['a/b'] } },
    { selection: { group: '../Patient' } },
    { types: ['Condition?x'] },
    { since: '2021-03-18' },
    { since: '2021-03-18T19:19:42' },
  ]
  for (const more of refused) assert.throws(() => checkOrder(order(more)), Failure, JSON.stringify(more))
})
