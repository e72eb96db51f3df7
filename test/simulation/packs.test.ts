import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { transaction } from '../../src/database/transaction.ts'
import { allTypes, isOwnedType } from '../../src/fhir/resource-types.ts'
import { inflateLines } from '../../src/gzip/deflated.ts'
import { readScopeQuery } from '../../src/protocol/request/scope-query.ts'
import { recordsOfOwners } from '../../src/records/as-of.ts'
import { absenceType, presentTypes } from '../../src/records/packs/absence-pack.ts'
import { dropPacks } from '../../src/records/packs/drop-packs.ts'
import type { Pack } from '../../src/records/packs/pack.ts'
import { insertPacks, packsOfOwners } from '../../src/records/packs/stored-packs.ts'
import {
  batch,
  clinicalRecord,
  patientIds,
  patientRecord,
  provenanceRecord,
  type SimulatedChange,
  simulatedTypes,
} from './changes.ts'
import { checkExport } from './check-export.ts'
import type { ModelRequest, ModelResource } from './model.ts'
import { type SimulatedTenant, Simulation } from './simulation.ts'
import { within } from './within.ts'

const typeOf = (query: string): string => query.slice(0, query.indexOf('?'))

/** As a granular scope narrows a type: those may narrow Provenances, too. */
function grantedQuery(text: string) {
  const query = readScopeQuery(typeOf(text), text.slice(text.indexOf('?') + 1))
  assert.ok('criteria' in query)
  return query
}

const comparisonsMax = 60
const comparisonMsMax = 20_000
/** With fewer packs nothing has been compared. */
const packsLeast = 10
const races = 150

/** Queries, and what they ask in other words. */
const queries: Readonly<Record<string, (resource: ModelResource) => boolean>> = {
  'Condition?_id=c0': ({ id }) => id === 'c0',
  'Observation?performer=Practitioner/a0': ({ performer }) =>
    performer.some(({ reference }) => reference === 'Practitioner/a0'),
  'Device?_id=none': () => false,
  'Appointment?_id=a0': ({ id }) => id === 'a0',
  'Provenance?_id=v0,v2': ({ id }) => id !== 'v1',
}

const rarely = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 })

const asked = fc.record({
  patients: fc.shuffledSubarray(patientIds, { minLength: 1 }),
  reach: rarely(fc.constantFrom('patients' as const, 'system' as const)),
  types: fc.oneof(
    { weight: 3, arbitrary: fc.constant([...simulatedTypes]) },
    fc.constant(simulatedTypes.filter((type) => type !== 'Provenance')),
    fc.constantFrom(['Condition' as const, 'Observation' as const], ['Patient' as const, 'Provenance' as const]),
    fc.constantFrom(['Provenance' as const], ['Condition' as const, 'Device' as const, 'Provenance' as const]),
    fc.constant(['Appointment' as const, 'Composition' as const, 'Provenance' as const]),
    fc.subarray([...simulatedTypes], { minLength: 5 }),
  ),
  provenance: fc.constantFrom('relevant' as const, 'latest' as const),
  sinceBack: rarely(fc.nat(20)),
  untilBack: rarely(fc.nat(6)),
  elements: rarely(fc.constantFrom(['performer'], ['Provenance.target', 'Condition.subject'])),
  organizedBy: fc.option(fc.constant('Patient' as const), { nil: undefined, freq: 8 }),
  queries: fc.oneof(
    { weight: 2, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.subarray(Object.keys(queries)) },
  ),
})

const withoutUndefined = <Value extends object>(value: Value): { [Key in keyof Value]: NonNullable<Value[Key]> } =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never

describe('packs', () => {
  let simulation: Simulation
  before(async () => {
    simulation = await Simulation.start()
  })
  after(() => simulation.stop())

  type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never

  /** The lines of each type in their order; they are those that the model gives. */
  async function exported({ name, model }: SimulatedTenant, { sinceBack, untilBack, queries: texts, ...rest }: Asked) {
    const timeBack = (back: number | undefined) => (back === undefined ? undefined : model.times.at(-1 - back))
    const applied = texts.filter((text) => (rest.types as readonly string[]).includes(typeOf(text)))
    const filters = Object.fromEntries(applied.map((text) => [typeOf(text), [[grantedQuery(text)]]]))
    const only = Object.fromEntries(applied.map((text) => [typeOf(text), queries[text]!]))
    const times = { since: timeBack(sinceBack), until: timeBack(untilBack) }
    const wanted = withoutUndefined({ ...rest, ...times }) as ModelRequest
    const job = await simulation.startExport(name, wanted, undefined, filters)
    await simulation.completed(job.id)
    const parts = await simulation.parts(job.id)
    checkExport(model, { ...job, request: { ...wanted, only } }, parts)
    const lines: Record<string, string[]> = {}
    for (const { type, lines: more } of parts) lines[type] = [...(lines[type] ?? []), ...more]
    return lines
  }

  async function countPacks({ name }: SimulatedTenant): Promise<number> {
    return (await simulation.pool.query('select count(*)::int as count from pack where tenant = $1', [name])).rows[0]
      .count
  }

  it('are exported as the same lines in the same order as the versions, all of them, some and none', async () => {
    let packed = 0
    const compare = async (batches: readonly SimulatedChange[][], wanted: Asked) => {
      const place = simulation.newTenant()
      for (const changes of batches) await simulation.write(place, changes)
      await simulation.pack()
      packed += await countPacks(place)
      const fromPacks = await exported(place, wanted)
      await simulation.pool.query(`delete from pack where tenant = $1 and hashtext(owner || type) % 2 = 0`, [
        place.name,
      ])
      assert.deepEqual(await exported(place, wanted), fromPacks)
      await simulation.pool.query(`delete from pack where tenant = $1`, [place.name])
      assert.deepEqual(await exported(place, wanted), fromPacks)
    }
    const property = fc.asyncProperty(
      fc.array(batch, { minLength: 2, maxLength: 12 }),
      asked,
      within(comparisonMsMax, compare, () => packed > packsLeast),
    )
    await fc.assert(property, { numRuns: comparisonsMax })
    assert.deepEqual(simulation.complaints, [])
    assert.ok(packed > packsLeast, `${packed} packs`)
  })

  it('are copied: where there are packs no version is read', async () => {
    const place = simulation.newTenant()
    const records = ['Condition/c0', 'Observation/o0'].map((key) => clinicalRecord(key, 'Patient/p0'))
    await simulation.write(place, records)
    await simulation.pack()
    await simulation.pool.query(`update record set body = 'not to be read' where tenant = $1`, [place.name])
    const request: ModelRequest = { patients: ['p0'], types: ['Condition', 'Practitioner'], provenance: 'relevant' }
    for (const more of [{}, { organizedBy: 'Patient' as const }]) {
      const job = await simulation.startExport(place.name, { ...request, ...more })
      await simulation.completed(job.id)
      checkExport(place.model, job, await simulation.parts(job.id))
    }
  })

  /** All packs of a tenant must hold its current records; those of several owners are named by the packs of each. */
  async function assertFresh({ name, model }: SimulatedTenant): Promise<void> {
    const { pool } = simulation
    const asOf = Date.UTC(2200, 0, 1)
    const types = allTypes
    const demand = {
      tenant: name,
      types,
      chosen: types,
      inflated: [],
      whole: [],
      alone: false,
      asOf,
      owners: patientIds,
    }
    for await (const ofOwners of packsOfOwners(pool, demand)) {
      for (const { owner, type, packs, lying } of ofOwners) {
        assert.equal(lying, false)
        if (type === absenceType) {
          const sql = 'select distinct type from record where tenant = $1 and owner = $2'
          const { rows } = await pool.query<{ type: string }>(sql, [name, owner])
          const present = new Set(packs.flatMap(presentTypes))
          for (const row of rows) assert.ok(present.has(row.type), `${row.type} of ${owner}`)
          continue
        }
        const current: (readonly [id: string, line: string])[] = []
        const shared: string[] = []
        for await (const records of recordsOfOwners(pool, { tenant: name, type, owners: [owner], asOf })) {
          for (const { id, body, ...record } of records) {
            if (record.shared) shared.push(`${type}/${id}`)
            else current.push([id, `${body}\n`])
          }
        }
        const groupOf = model.groupAt(Number.POSITIVE_INFINITY)
        const placeOf = (id: string) => `${groupOf(`${type}/${id}`, owner)} ${id}`
        current.sort(([a], [b]) => (placeOf(a) < placeOf(b) ? -1 : 1))
        const lines = current.map(([, line]) => line).join('')
        assert.equal(Buffer.concat(packs.map(inflateLines)).toString(), lines, `${type} of ${owner}`)
        const told = packs.flatMap((pack) => pack.shared.split(' ').filter(Boolean))
        assert.deepEqual(told.sort(), shared, `shared ${type} of ${owner}`)
      }
    }
  }

  it('never hold less or more than the current records, whatever packers and writers do at the same time', async () => {
    const changes = fc.sample(batch, races * 2)
    let place = simulation.newTenant()
    let packs = 0
    for (let race = 0; race < races; race++) {
      // First records of their types race, too.
      if (race % 3 === 0) place = simulation.newTenant()
      const writing = [changes[race * 2]!, changes[race * 2 + 1]!].map((some) => simulation.write(place, some))
      await Promise.all([...writing, simulation.pack(), simulation.pack()])
      await assertFresh(place)
      packs += await countPacks(place)
    }
    assert.ok(packs > races, `${packs} packs`)
  })

  const lies: readonly (readonly [string, string])[] = [
    ['has another byte in its label', `body = set_byte(body, 0, 255 - get_byte(body, 0))`],
    [
      'has another byte near its end',
      `body = set_byte(body, octet_length(body) - 9, 255 - get_byte(body, octet_length(body) - 9))`,
    ],
    ['is cut off', `body = substring(body for octet_length(body) - 1)`],
    ['has another seal', `seal = seal # 1`],
    ['stands under another patient', `owner = 'p2'`],
    ['stands under another type', `type = 'Goal'`],
  ]
  const columnLies: readonly (readonly [string, string, number])[] = [
    ['lie', `columns = set_byte(columns, 9, 255 - get_byte(columns, 9))`, 1],
    ['have another seal', `columns = set_byte(columns, 0, 255 - get_byte(columns, 0))`, 1],
    ['are cut off', `columns = substring(columns for octet_length(columns) - 1)`, 1],
    ['are nothing', `columns = ''`, 1],
    [
      'stand under another patient',
      `columns = (select other.columns from pack as other where other.tenant = $1 and other.owner = 'p1' and other.type = $2)`,
      1,
    ],
    ['are missing', 'columns = null', 0],
  ]
  for (const type of ['Condition', 'Provenance']) {
    for (const [name, assignment, told] of columnLies) {
      it(`are not chosen from by columns that ${name}, of ${type}`, async () => {
        const place = simulation.newTenant()
        await simulation.write(place, [
          clinicalRecord('Condition/c0', 'Patient/p0'),
          clinicalRecord('Condition/c1', 'Patient/p1'),
        ])
        await simulation.write(place, [
          clinicalRecord('Condition/c2', 'Patient/p0'),
          clinicalRecord('Condition/c3', 'Patient/p1'),
          ...['c0', 'c1', 'c2', 'c3'].map((id) => provenanceRecord(`Provenance/v${id}`, [`Condition/${id}`])),
        ])
        await simulation.pack()
        const lie = `update pack set ${assignment} where tenant = $1 and owner = 'p0' and type = $2`
        assert.equal((await simulation.pool.query(lie, [place.name, type])).rowCount, 1)

        const since = place.model.times[0]!
        const request: ModelRequest = { patients: patientIds, types: simulatedTypes, provenance: 'relevant', since }
        const job = await simulation.startExport(place.name, request)
        await simulation.completed(job.id)
        checkExport(place.model, job, await simulation.parts(job.id))
        const complaints = simulation.complaints.splice(0)
        assert.equal(complaints.length, told)
        assert.ok(complaints.every((complaint) => complaint.startsWith('pack-refused')))
      })
    }
  }

  const liars = { 'with records': 'Condition', 'of no type': absenceType }
  for (const [kind, type] of Object.entries(liars)) {
    for (const [name, assignment] of lies) {
      it(`that lie are never exported: one ${kind} that ${name}`, async () => {
        const place = simulation.newTenant()
        await simulation.write(place, [
          clinicalRecord('Condition/c0', 'Patient/p0'),
          clinicalRecord('Condition/c1', 'Patient/p1'),
        ])
        await simulation.pack()
        await simulation.write(place, [clinicalRecord('Observation/o0', 'Patient/p2')])
        const lie = `update pack set ${assignment} where tenant = $1 and owner = 'p0' and type = $2`
        assert.equal((await simulation.pool.query(lie, [place.name, type])).rowCount, 1)

        const request: ModelRequest = { patients: patientIds, types: simulatedTypes, provenance: 'relevant' }
        const job = await simulation.startExport(place.name, request)
        await simulation.completed(job.id)
        checkExport(place.model, job, await simulation.parts(job.id))
        const complaints = simulation.complaints.splice(0)
        assert.equal(complaints.length, 1)
        assert.match(complaints[0]!, /^pack-refused/)

        await simulation.pack()
        await assertFresh(place)
      })
    }
  }

  for (const exportedBefore of [false, true]) {
    const when = exportedBefore ? 'after it was refused' : 'before anybody has read it'
    it(`that lie hide no first record of the type that they stand under, ${when}`, async () => {
      const place = simulation.newTenant()
      const request: ModelRequest = { patients: patientIds, types: simulatedTypes, provenance: 'relevant' }
      const exportAll = async (wanted: ModelRequest) => {
        const job = await simulation.startExport(place.name, wanted)
        await simulation.completed(job.id)
        checkExport(place.model, job, await simulation.parts(job.id))
      }
      await simulation.write(place, [clinicalRecord('Condition/c0', 'Patient/p0')])
      await simulation.pack()
      await simulation.pool.query(
        `update pack set type = 'Goal' where tenant = $1 and owner = 'p0' and type = 'Condition'`,
        [place.name],
      )
      await exportAll({ ...request, types: ['Condition'] })
      if (exportedBefore) {
        await exportAll(request)
        await simulation.pack()
        await assertFresh(place)
      }
      await simulation.write(place, [clinicalRecord('Goal/g0', 'Patient/p0')])
      await exportAll(request)
      await simulation.pack()
      await assertFresh(place)
      assert.equal(simulation.complaints.splice(0).length, exportedBefore ? 1 : 0)
    })
  }

  it('leave nothing unsaid of a patient, however many packers are at work', async () => {
    const patients = Array.from({ length: 20 }, (_, index) => `p${index}`)
    for (let race = 0; race < 20; race++) {
      const place = simulation.newTenant()
      await simulation.write(
        place,
        patients.map((id) => patientRecord(id)),
      )
      await Promise.all([simulation.pack(), simulation.pack(), simulation.pack()])
      await simulation.pack()
      const types = allTypes
      const demand = {
        tenant: place.name,
        types,
        chosen: [],
        inflated: [],
        whole: [],
        alone: false,
        asOf: Date.UTC(2200, 0, 1),
        owners: patients,
      }
      const found = (await Array.fromAsync(packsOfOwners(simulation.pool, demand))).flat()
      for (const owner of patients) {
        const [ofNoType, ...packed] = found.filter((each) => each.owner === owner)
        assert.equal(ofNoType!.type, absenceType)
        assert.deepEqual(
          ofNoType!.packs.flatMap(presentTypes),
          packed.map(({ type }) => type),
        )
        assert.equal(packed[0]!.type, 'Patient')
      }
    }
  })

  /** Puts another pack of one Condition of p0 into the place of what was packed. */
  async function replacePack({ name }: SimulatedTenant, said: Partial<Pack>): Promise<void> {
    const { pool } = simulation
    const demand = {
      tenant: name,
      types: ['Condition'],
      chosen: ['Condition'],
      inflated: [],
      whole: [],
      alone: false,
      asOf: Date.UTC(2200, 0, 1),
      owners: ['p0'],
    }
    const found = (await Array.fromAsync(packsOfOwners(pool, demand))).flat().find(({ type }) => type === 'Condition')
    await pool.query(`delete from pack where tenant = $1 and owner = 'p0' and type = 'Condition'`, [name])
    await transaction(pool, (client) => insertPacks(client, name, [{ ...found!.packs[0]!, ...said }]))
  }

  const misplaced: readonly (readonly [string, Partial<Pack>])[] = [
    ['is one of two, and the other one is gone', { total: 2 }],
    ['is the second one, and the first is gone', { number: 1, total: 2 }],
  ]
  for (const [name, said] of misplaced) {
    it(`that lie are never exported: one that ${name}`, async () => {
      const place = simulation.newTenant()
      await simulation.write(place, [clinicalRecord('Condition/c0', 'Patient/p0')])
      await simulation.pack()
      await replacePack(place, said)
      const job = await simulation.startExport(place.name, {
        patients: patientIds,
        types: simulatedTypes,
        provenance: 'relevant',
      })
      await simulation.completed(job.id)
      checkExport(place.model, job, await simulation.parts(job.id))
      assert.equal(simulation.complaints.splice(0).length, 1)
    })
  }

  for (const packedTogether of [true, false]) {
    const when = packedTogether ? 'are packed together' : 'were packed before'
    it(`of Provenances do not serve as of a time when a target was there that went since; targets ${when}`, async () => {
      const place = simulation.newTenant()
      await simulation.write(place, [
        clinicalRecord('Condition/c0', 'Patient/p0'),
        clinicalRecord('Device/d0', 'Patient/p0'),
        provenanceRecord('Provenance/v0', ['Condition/c0', 'Device/d0']),
      ])
      const changed = async () => {
        const { rows } = await simulation.pool.query<{ changed: Date }>(
          `select changed from pack where tenant = $1 and owner = 'p0' and type = 'Provenance'`,
          [place.name],
        )
        return rows.map((row) => row.changed.getTime())
      }
      await simulation.pack()
      await simulation.write(place, [{ type: 'Condition', id: 'c0', record: undefined }])
      const went = place.model.times.at(-1)!
      await simulation.pack()
      if (!packedTogether) {
        await dropPacks(simulation.pool, place.name, [{ owner: 'p0', type: 'Provenance' }])
        await simulation.pack()
      }
      assert.deepEqual(await changed(), [went])
    })
  }

  it('say themselves what they are: wrong numbers beside them change nothing', async () => {
    const place = simulation.newTenant()
    await simulation.write(place, [clinicalRecord('Condition/c0', 'Patient/p0')])
    await simulation.pack()
    const wrong = `records = 99, bytes = 1, packed = 1, changed = '-infinity', oldest = 'infinity', newest = 'infinity'`
    await simulation.pool.query(`update pack set ${wrong} where tenant = $1`, [place.name])
    const job = await simulation.startExport(place.name, {
      patients: patientIds,
      types: simulatedTypes,
      provenance: 'relevant',
    })
    await simulation.completed(job.id)
    checkExport(place.model, job, await simulation.parts(job.id))
    assert.deepEqual(simulation.complaints, [])
  })

  it('stay when the patient comes after what is said of them; those that are missing are made', async () => {
    const place = simulation.newTenant()
    await simulation.write(place, [clinicalRecord('Condition/c0', 'Patient/p0')])
    await simulation.pack()
    const conditions = `select ctid::text from pack where tenant = $1 and owner = 'p0' and type = 'Condition'`
    const before = await simulation.pool.query(conditions, [place.name])
    await simulation.write(place, [patientRecord('p0')])
    const after = await simulation.pool.query(conditions, [place.name])
    assert.equal(before.rows.length, 1)
    assert.deepEqual(after.rows, before.rows)
    await simulation.pack()
    assert.equal(await countPacks(place), 3)
    await assertFresh(place)
  })

  it('are there for all types that a patient has, one names them, and then no version is looked for', async () => {
    const place = simulation.newTenant()
    await simulation.write(place, [patientRecord('p0'), clinicalRecord('Condition/c0', 'Patient/p0')])
    await simulation.pack()
    const { rows } = await simulation.pool.query(
      `select type, records, present from pack where tenant = $1 and owner = 'p0' order by type`,
      [place.name],
    )
    assert.deepEqual(
      rows.map(({ type, records }) => [type, records]),
      [
        [absenceType, 0],
        ['Condition', 1],
        ['Patient', 1],
      ],
    )
    assert.equal(rows[0].present, 'Condition Patient')
    await simulation.pool.query('delete from record where tenant = $1', [place.name])
    const types = simulatedTypes.filter(isOwnedType) as ModelRequest['types']
    const job = await simulation.startExport(place.name, { patients: ['p0'], types, provenance: 'relevant' })
    await simulation.completed(job.id)
    checkExport(place.model, job, await simulation.parts(job.id))
  })
})
