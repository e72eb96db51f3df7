import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditPageDefault, auditPageMax, parseAuditQuery, placeText } from './search-query.ts'

const day = Date.UTC(2026, 10, 23)
const dayMs = 24 * 60 * 60 * 1000

for (const [date, period] of [
  ['2026-11-23', { from: day, to: day + dayMs }],
  ['eq2026-11-23', { from: day, to: day + dayMs }],
  ['ge2026-11-23', { from: day }],
  ['gt2026-11-23', { from: day + dayMs }],
  ['sa2026-11-23', { from: day + dayMs }],
  ['le2026-11-23', { to: day + dayMs }],
  ['lt2026-11-23', { to: day }],
  ['eb2026-11-23', { to: day }],
  ['ge2026-11-23T00:00:00.0005Z', { from: day + 1 }],
  ['lt2026-11-23T01:00:00 01:00', { to: day }],
] as const) {
  test(`date=${date} is a period`, () => {
    assert.deepEqual(parseAuditQuery({ date }), { ...period, count: auditPageDefault })
  })
}

test('several dates hold together', () => {
  const query = parseAuditQuery({ date: ['ge2026-11-01', 'ge2026-11-23', 'lt2027', 'le2026-11-23'] })
  assert.deepEqual(query, { from: day, to: day + dayMs, count: auditPageDefault })
})

for (const [text, count] of [
  ['1', 1],
  [String(auditPageMax - 1), auditPageMax - 1],
  [String(auditPageMax), auditPageMax],
  [String(auditPageMax + 1), auditPageMax],
] as const) {
  test(`_count=${text} gives ${count}`, () => assert.deepEqual(parseAuditQuery({ _count: text }), { count }))
}

test('the place of a page is read as it was written', () => {
  const after = { recorded: day + 7, number: 12 }
  assert.deepEqual(parseAuditQuery({ page: placeText(after) }), { count: auditPageDefault, after })
})

test('everything that is wrong is told at once', () => {
  const query = parseAuditQuery({ date: ['x', 'ne2026', 'ap2026'], _count: '0', page: 'x', agent: 'a', _sort: 'date' })
  assert.ok('problems' in query)
  assert.deepEqual(
    query.problems.map(({ status, code }) => `${status} ${code}`),
    ['400 not-supported', '400 not-supported', ...Array.from({ length: 5 }, () => '400 value')],
  )
})
