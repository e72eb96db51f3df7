import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { clinicalTypes } from '../fhir/resource-types.ts'
import { exampleSince } from './calendar.ts'
import { pageGroupId, pagePatientIds, pageTenGroupId } from './page-patients.ts'
import { population } from './population.ts'
import type { PopulationRecord } from './record.ts'

interface Resource {
  readonly resourceType: string
  readonly id: string
  readonly meta: { readonly lastUpdated: string }
  readonly category?: readonly { readonly coding: readonly { readonly system: string; readonly code: string }[] }[]
  readonly target?: readonly { readonly reference: string }[]
  readonly type?: unknown
  readonly actual?: boolean
  readonly member?: readonly { readonly entity: { readonly reference: string } }[]
}

const runs = new Map<string, Resource[]>()
let groups: readonly Resource[] = []
const parse = ({ line }: PopulationRecord): Resource => JSON.parse(line) as Resource

before(() => {
  const records = [...population({ patients: 10, seed: 1, pagePatients: true })].map(parse)
  let run: Resource[] | undefined
  for (const record of records) {
    if (record.resourceType === 'Patient') {
      run = []
      runs.set(record.id, run)
    }
    run?.push(record)
  }
  groups = records.filter(({ resourceType }) => resourceType === 'Group')
})

test("the page's patients are the first three", () => {
  assert.deepEqual([...runs.keys()].slice(0, 3), ['12783127', '12783128', '12783129'])
  assert.equal(runs.size, 10)
})

for (const id of pagePatientIds) {
  test(`patient ${id} has records of every type`, () => {
    const types = new Set(runs.get(id)?.map(({ resourceType }) => resourceType))
    for (const type of [...clinicalTypes, 'Provenance']) assert.ok(types.has(type), type)
  })

  test(`patient ${id} has what the example request asks for, and what it must leave out`, () => {
    const records = runs.get(id) ?? []
    const conditions = records.filter(({ resourceType }) => resourceType === 'Condition')
    const codes = (one: Resource): string[] =>
      one.category?.flatMap(({ coding }) => coding.map(({ code }) => code)) ?? []
    const problems = conditions.filter((one) => codes(one).includes('problem-list-item'))
    const systems = problems.flatMap((one) => one.category?.flatMap(({ coding }) => coding.map(({ system }) => system)))
    assert.deepEqual(new Set(systems), new Set(['http://terminology.hl7.org/CodeSystem/condition-category']))
    const after = problems.filter(({ meta }) => Date.parse(meta.lastUpdated) > exampleSince)
    assert.ok(after.length >= 3)
    assert.equal(problems.length - after.length, 1)
    const others = new Set(conditions.flatMap(codes))
    assert.ok(others.has('encounter-diagnosis') && others.has('health-concern'))
    const provenances = records.filter(({ resourceType }) => resourceType === 'Provenance')
    const targets = new Set(provenances.flatMap(({ target }) => target?.map(({ reference }) => reference) ?? []))
    const described = (one: Resource) => [...targets].some((target) => target.startsWith(`Condition/${one.id}`))
    assert.ok(problems.every(described))
  })
}

test('the Groups of three and of ten patients are there', () => {
  const members = (id: string) =>
    groups.find((group) => group.id === id)?.member?.map(({ entity }) => entity.reference.replace('Patient/', ''))
  assert.deepEqual(members(pageGroupId), pagePatientIds)
  assert.deepEqual(members(pageTenGroupId), [...runs.keys()])
  const three = groups.find(({ id }) => id === '11ec-d16a-c763b73e-98e8-a31715e6a2bf')
  assert.equal(three?.type, 'person')
  assert.equal(three?.actual, true)
  assert.equal(pageTenGroupId, '11ec-d16a-b40370f8-9d31-577f11a339c5')
})

test('without the option there are neither', () => {
  for (const { id } of population({ patients: 10, seed: 1 })) {
    assert.ok(!pagePatientIds.includes(id) && id !== pageGroupId && id !== pageTenGroupId)
  }
})
