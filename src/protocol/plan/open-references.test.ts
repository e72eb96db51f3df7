import assert from 'node:assert/strict'
import { test } from 'node:test'
import { documentedTypes } from '../../fhir/resource-types.ts'
import { openReferenceIssues, tellsOpen } from './open-references.ts'

const all = ['?/Practitioner', '?/Encounter', '?/Vehicle', '!/Practitioner', '!/-', ':/-', '*/-', '+/Vehicle']

test('what the operation promises: conditional references to selected types that come along', () => {
  assert.deepEqual(all.filter(tellsOpen({ types: documentedTypes })), ['?/Practitioner'])
  assert.deepEqual(all.filter(tellsOpen({ types: ['Encounter'] })), [])
})

test('everything: what could be of a selected type, and types that no export has', () => {
  assert.deepEqual(all.filter(tellsOpen({ types: documentedTypes, tellsAll: true })), all)
  const some = all.filter(tellsOpen({ types: ['Encounter'], tellsAll: true }))
  assert.deepEqual(some, ['?/Encounter', '?/Vehicle', '!/-', ':/-', '*/-', '+/Vehicle'])
})

test('a line for each kind, with the types; types that are not exported are one line, as information', () => {
  const lines = openReferenceIssues([...all, '!/Encounter', 'Practitioner/1', '!/Wheel'])
  assert.deepEqual(
    lines.map(({ severity, diagnostics }) => [severity, diagnostics]),
    [
      ['warning', 'Encounter, Practitioner'],
      ['warning', 'Encounter, Practitioner, of an unknown type'],
      ['warning', undefined],
      ['warning', undefined],
      ['information', 'Vehicle, Wheel'],
    ],
  )
  assert.deepEqual(openReferenceIssues(['Practitioner/1']), [])
})

test('invented types do not make a line long', () => {
  const [line] = openReferenceIssues(
    Array.from({ length: 300 }, (_, at) => `+/Type${String.fromCharCode(65 + (at % 26)).repeat(1 + at / 26)}`),
  )
  assert.match(line!.diagnostics!, / and \d+ more$/)
  assert.ok(line!.diagnostics!.length < 500)
})
