import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { clinicalTypes, documentedTypes } from '../fhir/resource-types.ts'
import { oddTextNames } from './odd-text.ts'
import { onePatient, population } from './population.ts'
import type { PopulationRecord } from './record.ts'
import { groupMembersMax, smallGroupId } from './resources/group.ts'
import { heavyObservationsMin, heavyPatientId, type PopulationOptions } from './seat.ts'

const patients = 60
const numberToken = /:(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)/g

interface Resource {
  readonly [name: string]: unknown
  readonly resourceType: string
  readonly id: string
  readonly meta?: { readonly lastUpdated?: string; readonly profile?: readonly string[] }
}

const parse = ({ line }: PopulationRecord): Resource => JSON.parse(line) as Resource

function digest(options: PopulationOptions): string {
  const hash = createHash('sha256')
  for (const { line } of population(options)) hash.update(line).update('\n')
  return hash.digest('hex')
}

/** All references within a value, with contained ones. */
function referencesIn(value: unknown, found: string[] = []): string[] {
  if (Array.isArray(value)) for (const item of value) referencesIn(item, found)
  else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      if (name === 'reference' && typeof member === 'string') found.push(member)
      else referencesIn(member, found)
    }
  }
  return found
}

/** Runs of records that follow a Patient, keyed by its id. */
function byPatient(records: readonly PopulationRecord[]): Map<string, PopulationRecord[]> {
  const runs = new Map<string, PopulationRecord[]>()
  let run: PopulationRecord[] | undefined
  for (const record of records) {
    if (record.type === 'Group') break
    if (record.type === 'Patient') {
      run = []
      runs.set(record.id, run)
    }
    run?.push(record)
  }
  return runs
}

test('the same seed gives the same bytes, another seed others', () => {
  const options = { patients: 20, seed: 1, pagePatients: true }
  assert.equal(digest(options), digest(options))
  assert.notEqual(digest(options), digest({ ...options, seed: 2 }))
})

test('a patient does not depend on how many there are, and can be generated alone', () => {
  const few = byPatient([...population({ patients: 12, seed: 5 })])
  const more = byPatient([...population({ patients: 15, seed: 5, heavyPatient: heavyObservationsMin })])
  for (const [id, records] of few) assert.deepEqual(more.get(id), records)
  const eighth = [...few.values()][7]
  assert.deepEqual([...onePatient({ patients: 12, seed: 5 }, 7)], eighth)
})

test('a huge population is a stream: its first records come at once', () => {
  const stream = population({ patients: 1_000_000, seed: 1 })
  const first = Array.from({ length: 10 }, () => stream.next().value)
  assert.ok(first.every((record) => record && record.type === 'Organization'))
})

test('options out of bounds are refused', () => {
  for (const options of [
    { patients: -1, seed: 1 },
    { patients: 1.5, seed: 1 },
    { patients: 2, seed: 1, pagePatients: true },
    { patients: 10, seed: 2 ** 32 },
    { patients: 10, seed: 1, heavyPatient: heavyObservationsMin - 1 },
  ]) {
    assert.throws(() => population(options).next(), RangeError)
  }
})

test('Groups hold all patients in parts of at most 10,000', () => {
  assert.equal(groupMembersMax, 10_000)
  const groups = [...population({ patients: 30, seed: 1 })].filter(({ type }) => type === 'Group').map(parse)
  const [all, small] = groups as [Resource & { member: unknown[] }, Resource & { member: { inactive?: boolean }[] }]
  assert.equal(groups.length, 2)
  assert.equal(all.member.length, 30)
  assert.equal(small.id, smallGroupId)
  assert.deepEqual(
    small.member.map(({ inactive }) => inactive ?? false),
    [false, false, false, false, true],
  )
})

test('the heavy patient has as many observations as asked for, in memory that does not hold them all', () => {
  const wanted = 3_000
  const records = [...population({ patients: 1, seed: 1, heavyPatient: wanted })]
  const run = byPatient(records).get(heavyPatientId) ?? []
  const observations = run.filter(({ type }) => type === 'Observation').map(parse)
  assert.equal(observations.length, wanted)
  assert.ok(observations.every((one) => referencesIn(one).includes(`Patient/${heavyPatientId}`)))
  const targetCounts = run.filter(({ type }) => type === 'Provenance').map((one) => (parse(one).target as []).length)
  assert.equal(Math.max(...targetCounts), 100)
})

describe(`a population of ${patients} patients`, () => {
  let records: readonly PopulationRecord[] = []
  let resources: readonly Resource[] = []
  let ids: ReadonlySet<string> = new Set()

  before(() => {
    records = [...population({ patients, seed: 1, pagePatients: true })]
    resources = records.map(parse)
    ids = new Set(records.map(({ type, id }) => `${type}/${id}`))
  })

  const ofType = (type: string): readonly Resource[] => resources.filter(({ resourceType }) => resourceType === type)
  const provenanceTargets = (): readonly (readonly string[])[] =>
    ofType('Provenance').map(({ target }) => referencesIn(target))

  test('every line is one record of its type and id, and no id comes twice', () => {
    for (const [i, { type, id, line }] of records.entries()) {
      assert.equal(resources[i]?.resourceType, type)
      assert.equal(resources[i]?.id, id)
      assert.match(id, /^[A-Za-z0-9\-.]{1,64}$/)
      assert.ok(!/[\n\r]/.test(line))
    }
    assert.equal(new Set(records.map(({ id }) => id)).size, records.length)
  })

  test('all 18 exportable types, Group and Binary are there', () => {
    const types = new Set(records.map(({ type }) => type))
    assert.deepEqual([...types].sort(), [...documentedTypes, 'Group', 'Binary'].sort())
  })

  test('shared records come first, then patient by patient, Groups last', () => {
    const types = records.map(({ type }) => type)
    const firstPatient = types.indexOf('Patient')
    for (const shared of ['Organization', 'Location', 'Practitioner']) {
      assert.ok(types.lastIndexOf(shared) < firstPatient, shared)
    }
    assert.ok(types.slice(types.indexOf('Group')).every((type) => type === 'Group'))
    for (const run of byPatient(records).values()) {
      const names = run.map(({ type }) => type)
      assert.equal(names[0], 'Patient')
      const firstProvenance = names.indexOf('Provenance')
      assert.ok(firstProvenance === -1 || names.slice(firstProvenance).every((type) => type === 'Provenance'))
    }
  })

  test('every reference leads to a record of the population or into its own record', () => {
    for (const resource of resources) {
      for (const target of referencesIn(resource)) {
        if (target.startsWith('#')) {
          const contained = (resource.contained ?? []) as readonly { id: string }[]
          assert.ok(contained.some(({ id }) => `#${id}` === target))
        } else assert.ok(ids.has(target.replace(/\/_history\/.*$/, '')), `${resource.resourceType}: ${target}`)
      }
    }
  })

  test('counts and sizes are those of real charts', () => {
    const runs = [...byPatient(records).values()]
    const counts = runs.map((run) => run.length)
    const mean = counts.reduce((sum, count) => sum + count, 0) / patients
    assert.ok(mean > 150 && mean < 250, `${mean} records a patient`)
    const middle = counts.toSorted((a, b) => a - b)
    assert.ok(middle[6]! >= 60 && middle[53]! <= 500, `${middle[6]} to ${middle[53]}`)
    const sizes = records.map(({ line }) => Buffer.byteLength(line)).sort((a, b) => a - b)
    assert.ok(sizes[Math.floor(sizes.length * 0.01)]! > 500)
    assert.ok(sizes[Math.floor(sizes.length * 0.99)]! < 3_500)
    assert.ok(sizes.at(-1)! > 20_000 && sizes.at(-1)! < 280_000)
  })

  test('some patients have nothing but their Patient record', () => {
    const runs = [...byPatient(records).values()]
    assert.equal(runs.filter((run) => run.length === 1).length, 2)
  })

  test('records changed before and after the _since of the example request', () => {
    const changed = resources.flatMap(({ meta }) => meta?.lastUpdated ?? [])
    const before = changed.filter((instant) => Date.parse(instant) < Date.UTC(2021, 2, 18, 19, 19, 42)).length
    assert.ok(before > changed.length * 0.1 && before < changed.length * 0.5, `${before} of ${changed.length}`)
    assert.ok(changed.every((instant) => Date.parse(instant) <= Date.UTC(2026, 5, 30)))
  })

  test('US Core profiles are named', () => {
    for (const type of clinicalTypes) {
      const named = ofType(type).filter(({ meta }) => meta?.profile?.[0]?.includes('/us/core/'))
      assert.ok(named.length > 0, type)
    }
  })

  test('odd but legal text is there, byte for byte', () => {
    const text = records.map(({ line }) => line).join('\n')
    const needles = [
      '👓',
      '\u2028',
      '\u2029',
      '1\\/2 tablet',
      'Ren\\u00e9e',
      '\\ud83d\\ude00',
      'mg\\/dL',
      '\\r\\n',
      '\\"no pain',
    ]
    for (const needle of needles) assert.ok(text.includes(needle), JSON.stringify(needle))
    assert.ok(oddTextNames.length > 10)
    assert.ok(text.includes('{\\"resourceType\\":\\"Patient\\",\\"id\\":\\"0\\"'), 'a record pasted into a note')
    assert.ok(
      records.some(({ type, line }) => type === 'Condition' && line.length > 40_000),
      'a very long string',
    )
  })

  test('members come in more than one order, and blanks stand between some', () => {
    assert.ok(records.some(({ line, type }) => line.endsWith(`"resourceType":"${type}"}`)))
    assert.ok(records.some(({ line }) => line.startsWith('{ "resourceType" : ')))
    assert.ok(resources.some(({ meta }) => meta === undefined))
  })

  test('decimals keep their trailing zeros, and all numbers are JSON numbers', () => {
    const numbers = records.flatMap(({ line }) => [...line.matchAll(numberToken)].map(([, number]) => number ?? ''))
    const changedByDoubles = new Set(numbers.filter((number) => String(Number(number)) !== number))
    for (const number of ['7.0', '80.50', '0.50', '1.0e5', '35.687000000000000500']) {
      assert.ok(changedByDoubles.has(number), number)
    }
    assert.ok(
      [...changedByDoubles].some((number) => /^9\d\.\d0$/.test(number)),
      'a temperature such as 98.60',
    )
  })

  test('primitive extensions and reasons for missing data are there', () => {
    const text = records.map(({ line }) => line).join('\n')
    for (const part of ['"_birthDate":{', '/data-absent-reason"', '"dataAbsentReason":{', '"_value":{']) {
      assert.ok(text.includes(part), part)
    }
  })

  test('references stand where exports look for them', () => {
    const has = (type: string, pattern: RegExp): void => {
      assert.ok(
        records.some((record) => record.type === type && pattern.test(record.line)),
        `${type} ${pattern}`,
      )
    }
    has('Encounter', /"location":\{"reference":"Location\//)
    has('Encounter', /"contained":\[\{"resourceType":"Location","id":"loc"/)
    has('Encounter', /"serviceProvider":\{"reference":"Organization\//)
    has('Condition', /"authorReference":\{"reference":"Practitioner\//)
    has('DiagnosticReport', /"valueReference":\{"reference":"Location\//)
    has('Patient', /"assigner":\{"reference":"Organization\//)
    has('Patient', /"generalPractitioner":\[\{"reference":"Practitioner\//)
    has('MedicationRequest', /"medicationReference":\{"reference":"#med"\}/)
    has('Device', /"patient":\{"reference":"Patient\//)
    has('DocumentReference', /"url":"Binary\//)
    has('Location', /"partOf":\{"reference":"Location\//)
    has('Organization', /"partOf":\{"reference":"Organization\//)
  })

  test('most clinical records have a Provenance, some several, some none', () => {
    const count = new Map<string, number>()
    for (const targets of provenanceTargets()) {
      for (const target of targets) {
        const plain = target.replace(/\/_history\/.*$/, '')
        count.set(plain, (count.get(plain) ?? 0) + 1)
      }
    }
    const clinical = records.filter(({ type }) => (clinicalTypes as readonly string[]).includes(type))
    const share = (wanted: (n: number) => boolean): number =>
      clinical.filter(({ type, id }) => wanted(count.get(`${type}/${id}`) ?? 0)).length / clinical.length
    assert.ok(share((n) => n >= 1) > 0.9)
    assert.ok(share((n) => n >= 2) > 0.08)
    assert.ok(share((n) => n === 0) > 0.01)
  })

  test('Provenances have every kind of target', () => {
    const targets = provenanceTargets()
    const shared = /^(Organization|Practitioner|Location)\//
    assert.ok(
      targets.some((all) => all.length > 1 && all.every((target) => !shared.test(target))),
      'several records',
    )
    assert.ok(
      targets.some((all) => all.some((target) => target.includes('/_history/'))),
      'one version of a record',
    )
    assert.ok(
      targets.some((all) => all.some((target) => shared.test(target)) && all.some((target) => !shared.test(target))),
    )
    assert.ok(
      targets.some((all) => all.every((target) => shared.test(target))),
      'shared records only',
    )
    const owner = new Map<string, string>()
    for (const [patient, run] of byPatient(records)) for (const { type, id } of run) owner.set(`${type}/${id}`, patient)
    const owners = targets.map((all) => new Set(all.flatMap((target) => owner.get(target) ?? [])).size)
    assert.ok(owners.includes(2), 'records of two patients')
  })
})
