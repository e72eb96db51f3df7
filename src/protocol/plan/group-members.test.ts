import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupEntriesMax } from '../limits.ts'
import { type GroupMembers, groupMembers } from './group-members.ts'

const base = 'https://fhir.example.org/r4/clinic'
const judged = { bases: [base], at: Date.parse('2026-11-23T10:00:00Z') }

const read = (member: unknown, more: object = {}) =>
  groupMembers({ resourceType: 'Group', type: 'person', actual: true, member, ...more }, judged)

function membersOf(entities: readonly unknown[], more: object = {}): GroupMembers {
  const found = read(
    entities.map((entity) => ({ entity })),
    more,
  )
  assert.ok('patients' in found, JSON.stringify(found))
  return found
}

function problemOf(member: unknown, more: object = {}) {
  const found = read(member, more)
  assert.ok('status' in found, JSON.stringify(found))
  return [found.status, found.code, found.expression?.[0]]
}

const to = (reference: string) => ({ reference })
const identified = (more: object = {}) => ({ identifier: { system: 'urn:mrn', value: '7' }, ...more })

test('K2: patients and Groups of the tenant, each once', () => {
  const found = membersOf(['Patient/a', `${base}/Patient/b`, 'Patient/a/_history/3', 'Group/g', 'Group/g'].map(to))
  assert.deepEqual([found.patients, found.groups, found.unresolved], [['a', 'b'], ['g'], []])
})

test('members who are inactive, who have left or who have not come are none', () => {
  const found = read([
    { entity: to('Patient/a'), inactive: true },
    { entity: to('Patient/b'), period: { end: '2026-11-22' } },
    { entity: to('Patient/c'), period: { end: '2026-11-23' } },
    { entity: to('Patient/d'), period: { start: '2026-11-24' } },
    { entity: to('Patient/e'), inactive: false, period: { start: '2026-11-23T10:00:00Z' } },
    { entity: identified(), period: { end: '2020' } },
  ])
  assert.ok('patients' in found)
  assert.deepEqual([found.patients, found.queries, found.unresolved, found.entries], [['c', 'e'], [], [], 6])
})

test('identifiers and conditional references are looked up', () => {
  const query = { type: 'Patient', system: 'urn:mrn', value: '7' }
  for (const entity of [identified(), identified({ type: 'Patient' }), to('Patient?identifier=urn:mrn%7C7')]) {
    assert.deepEqual(membersOf([entity]).queries, [query])
  }
  assert.deepEqual(membersOf([identified()], { type: 'animal' }).queries, [query])
  assert.deepEqual(membersOf([identified({ type: 'Group' })]).queries, [{ ...query, type: 'Group' }])
  assert.deepEqual(membersOf([{ identifier: { value: '7' } }]).queries, [{ ...query, system: '' }])
  assert.deepEqual(membersOf([{ ...identified(), ...to('Patient/a') }]).patients, ['a'], 'a reference counts first')
})

test('who cannot be found is counted by kind', () => {
  const kinds = [
    [to('https://elsewhere.example.org/Patient/a'), 'elsewhere'],
    [to('urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0'), 'elsewhere'],
    [to('Practitioner/a'), 'other-type'],
    [to('Device?identifier=a|b'), 'other-type'],
    [identified({ type: 'Device' }), 'other-type'],
    [to('Patient?name=x'), 'unusable'],
    [{ display: 'somebody' }, 'unusable'],
    [{ identifier: { system: 'urn:mrn' } }, 'unusable'],
    [undefined, 'unusable'],
  ] as const
  for (const [entity, kind] of kinds) assert.deepEqual(membersOf([entity]).unresolved, [kind], JSON.stringify(entity))
  assert.deepEqual(membersOf([identified()], { type: 'device' }).unresolved, ['other-type'])
})

test('modifier extensions are refused at any depth, but in contained resources', () => {
  const modifierExtension = [{ url: 'http://example.org/x', valueBoolean: true }]
  const a = to('Patient/a')
  const places = [
    [[], { modifierExtension }, 'Group.modifierExtension'],
    [[{ entity: a, modifierExtension }], {}, 'Group.member[0].modifierExtension'],
    [[{ entity: a }, { entity: { ...a, modifierExtension } }], {}, 'Group.member[1].entity.modifierExtension'],
    [[{ entity: a, period: { start: '2020', modifierExtension } }], {}, 'Group.member[0].period.modifierExtension'],
    [[{ entity: a, inactive: true, modifierExtension }], {}, 'Group.member[0].modifierExtension'],
    [[{ entity: a }], { characteristic: [{ modifierExtension: {} }] }, 'Group.characteristic[0].modifierExtension'],
  ] as const
  for (const [member, more, expression] of places) {
    assert.deepEqual(problemOf(member, more), [422, 'extension', expression])
  }
  const contained = [{ resourceType: 'Organization', id: 'o', modifierExtension }]
  assert.deepEqual(membersOf([a], { contained, modifierExtension: [] }).patients, ['a'])
})

test('a definition is refused, characteristics of listed members are not', () => {
  const characteristic = [{ code: { text: 'gender' }, valueCodeableConcept: { text: 'female' }, exclude: true }]
  assert.deepEqual(problemOf([], { characteristic }), [422, 'not-supported', 'Group.characteristic'])
  assert.deepEqual(problemOf(undefined, { characteristic }), [422, 'not-supported', 'Group.characteristic'])
  assert.deepEqual(problemOf([{ entity: to('Patient/a') }], { actual: false }), [422, 'not-supported', 'Group.actual'])
  assert.deepEqual(membersOf([to('Patient/a')], { characteristic }).patients, ['a'])
  assert.deepEqual(membersOf([]).patients, [])
})

test('what cannot be read is refused with its place', () => {
  const entity = to('Patient/a')
  assert.deepEqual(problemOf({ entity }), [422, 'value', 'Group.member'])
  assert.deepEqual(problemOf([{ entity }, null]), [422, 'value', 'Group.member[1]'])
  assert.deepEqual(problemOf([{ entity, inactive: 'true' }]), [422, 'value', 'Group.member[0].inactive'])
  assert.deepEqual(problemOf([{ entity, inactive: true, period: {} }]), [422, 'value', 'Group.member[0].period'])
})

test('members that are too many are refused before any of them is looked at', () => {
  assert.deepEqual(problemOf(new Array(groupEntriesMax + 1).fill(null)), [400, 'too-long', undefined])
})
