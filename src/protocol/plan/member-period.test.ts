import assert from 'node:assert/strict'
import { test } from 'node:test'
import { periodHolds } from './member-period.ts'

const holds = (period: unknown, at: string): boolean | undefined =>
  periodHolds(period, BigInt(Date.parse(at)) * 1_000_000n)

test('a period holds both of its ends, in the precision that they have', () => {
  const day = { start: '2020-01-01', end: '2021-01-01' }
  assert.equal(holds(day, '2019-12-31T23:59:59.999Z'), false)
  assert.equal(holds(day, '2020-01-01T00:00:00Z'), true)
  assert.equal(holds(day, '2021-01-01T23:59:59.999Z'), true)
  assert.equal(holds(day, '2021-01-02T00:00:00Z'), false)
  assert.equal(holds({ end: '2021' }, '2021-12-31T23:59:59.999Z'), true)
  assert.equal(holds({ end: '2021' }, '2022-01-01T00:00:00Z'), false)
  assert.equal(holds({ end: '2021-02' }, '2021-02-28T23:59:59Z'), true)
  assert.equal(holds({ end: '2021-01-01T10:00:00+02:00' }, '2021-01-01T08:00:00.999Z'), true)
  assert.equal(holds({ end: '2021-01-01T10:00:00+02:00' }, '2021-01-01T08:00:01Z'), false)
})

test('an end that is missing is open', () => {
  assert.equal(holds({ start: '2999' }, '2026-01-01T00:00:00Z'), false)
  assert.equal(holds({ start: '2020' }, '9998-01-01T00:00:00Z'), true)
  assert.equal(holds({ end: '2020' }, '1901-01-01T00:00:00Z'), true)
})

test('a period of one day, and one whose ends have different precisions', () => {
  assert.equal(holds({ start: '2021-01-01', end: '2021-01-01' }, '2021-01-01T12:00:00Z'), true)
  assert.equal(holds({ start: '2021-06-01', end: '2021' }, '2021-12-01T12:00:00Z'), true)
})

test('what is no period is told, whatever the moment', () => {
  const wrong = [
    null,
    '2020',
    [],
    {},
    { id: 'x' },
    { start: '2020-13' },
    { start: '01.02.2020' },
    { end: 2020 },
    { start: '2020', end: '' },
    { start: '2021-01-02', end: '2021-01-01' },
    { start: '2020-02-30' },
  ]
  for (const period of wrong) assert.equal(holds(period, '2020-06-01T00:00:00Z'), undefined, JSON.stringify(period))
})
