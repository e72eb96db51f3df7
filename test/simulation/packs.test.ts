import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { transaction } from '../../src/database/transaction.ts'
import { exportableTypes } from '../../src/fhir/resource-types.ts'
import { parseTypeFilter } from '../../src/filter/parse/parse.ts'
import { hl7Switches } from '../../src/filter/parse/switches.ts'
import { inflateLines } from '../../src/gzip/deflated.ts'
import { recordsOfOwners } from '../../src/records/as-of.ts'
import { absenceType } from '../../src/records/packs/absence-pack.ts'
import type { Pack } from '../../src/records/packs/pack.ts'
import { packedTypes } from '../../src/records/packs/packed-types.ts'
import { insertPacks, packsOfOwners } from '../../src/records/packs/stored-packs.ts'
import { batch, clinicalRecord, patientIds, patientRecord, type SimulatedChange } from './changes.ts'
import { checkExport } from './check-export.ts'
import type { ModelRequest } from './model.ts'
import { type SimulatedTenant, Simulation } from './simulation.ts'
import { within } from './within.ts'

const comparisonsMax = 40
const comparisonMsMax = 15_000
/** With fewer packs nothing has been compared. */
const packsLeast = 10
const races = 150

const queries = [
  'Condition?_id=c0',
  'Condition?subject=Patient/p1,Condition?_id=c1',
  'Observation?performer=Practitioner/a0',
  'Observation?subject=Patient/p0',
]

const asked = fc.record({
  patients: fc.shuffledSubarray(patientIds, { minLength: 1 }),
  types: fc.oneof(
    fc.constant([...exportableTypes]),
    fc.constant(exportableTypes.filter((type) => type !== 'Provenance')),
    fc.constantFrom(['Condition' as const, 'Observation' as const], ['Patient' as const, 'Provenance' as const]),
    fc.constant(['Provenance' as const]),
    fc.subarray([...exportableTypes], { minLength: 5 }),
  ),
  provenance: fc.constantFrom('relevant' as const, 'latest' as const),
  sinceBack: fc.option(fc.nat(6), { nil: undefined }),
  queries: fc.oneof(
    { weight: 2, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.subarray<string>(queries) },
  ),
})

describe('packs', () => {
  let simulation: Simulation
  before(async () => {
    simulation = await Simulation.start()
  })
  after(() => simulation.stop())

  type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never

  /** The lines of each type in their order. */
  async function exported({ name, model }: SimulatedTenant, { sinceBack, queries, ...request }: Asked) {
    const since = sinceBack === undefined ? undefined : model.times.at(-1 - sinceBack)
    const texts = queries.filter((text) => (request.types as readonly string[]).includes(text.split('?')[0]!))
    const { queries: parsed, problems } = parseTypeFilter(
      texts.map((text) => ({ text, at: 'x' })),
      { types: request.types, switches: hl7Switches },
    )
    assert.deepEqual(problems, [])
    const wanted: ModelRequest = since === undefined ? request : { ...request, since }
    const filters = Object.fromEntries([...parsed].map(([type, list]) => [type, [list]]))
    const job = await simulation.startExport(name, wanted, undefined, filters)
    await simulation.completed(job.id)
    const lines: Record<string, string[]> = {}
    for (const { type, lines: more } of await simulation.parts(job.id)) lines[type] = [...(lines[type] ?? []), ...more]
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
    await simulation.write(place, [clinicalRecord('Condition/c0', 'Patient/p0')])
    await simulation.pack()
    await simulation.pool.query(`update record set body = 'not to be read' where tenant = $1`, [place.name])
    const request: ModelRequest = { patients: ['p0'], types: ['Condition', 'Practitioner'], provenance: 'relevant' }
    const job = await simulation.startExport(place.name, request)
    await simulation.completed(job.id)
    checkExport(place.model, job, await simulation.parts(job.id))
  })

  /** All packs of a tenant must hold its current records; those of several owners are named by the packs of each. */
  async function assertFresh({ name }: SimulatedTenant): Promise<void> {
    const { pool } = simulation
    const asOf = Date.UTC(2200, 0, 1)
    const types = packedTypes
    const demand = { tenant: name, types, usable: types, asOf, owners: patientIds }
    for await (const ofOwners of packsOfOwners(pool, demand)) {
      for (const { owner, type, packs, lying } of ofOwners) {
        assert.equal(lying, false)
        const current: string[] = []
        const shared: string[] = []
        for await (const records of recordsOfOwners(pool, { tenant: name, type, owners: [owner], asOf })) {
          for (const { id, body, ...record } of records) {
            if (record.shared) shared.push(`${type}/${id}`)
            else current.push(`${body}\n`)
          }
        }
        assert.equal(Buffer.concat(packs.map(inflateLines)).toString(), current.join(''), `${type} of ${owner}`)
        assert.equal(packs[0]?.shared ?? '', shared.join(' '), `shared ${type} of ${owner}`)
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

        const request: ModelRequest = { patients: patientIds, types: exportableTypes, provenance: 'relevant' }
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
      const request: ModelRequest = { patients: patientIds, types: exportableTypes, provenance: 'relevant' }
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
      const types = packedTypes
      const demand = { tenant: place.name, types, usable: types, asOf: Date.UTC(2200, 0, 1), owners: patients }
      const found = (await Array.fromAsync(packsOfOwners(simulation.pool, demand))).flat()
      const told = new Set(found.map(({ owner, type }) => `${owner} ${type}`))
      assert.equal(told.size, patients.length * types.length)
    }
  })

  /** Puts another pack of one Condition of p0 into the place of what was packed. */
  async function replacePack({ name }: SimulatedTenant, said: Partial<Pack>): Promise<void> {
    const { pool } = simulation
    const demand = {
      tenant: name,
      types: ['Condition'],
      usable: ['Condition'],
      asOf: Date.UTC(2200, 0, 1),
      owners: ['p0'],
    }
    const [found] = (await Array.fromAsync(packsOfOwners(pool, demand))).flat()
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
        types: exportableTypes,
        provenance: 'relevant',
      })
      await simulation.completed(job.id)
      checkExport(place.model, job, await simulation.parts(job.id))
      assert.equal(simulation.complaints.splice(0).length, 1)
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
      types: exportableTypes,
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

  it('are there for all types that a patient has, one names the others, and then no version is looked for', async () => {
    const place = simulation.newTenant()
    await simulation.write(place, [patientRecord('p0'), clinicalRecord('Condition/c0', 'Patient/p0')])
    await simulation.pack()
    const { rows } = await simulation.pool.query(
      `select type, records, absent from pack where tenant = $1 and owner = 'p0' order by type`,
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
    const others = packedTypes.filter((type) => type !== 'Condition' && type !== 'Patient')
    assert.equal(rows[0].absent, others.join(' '))
    await simulation.pool.query('delete from record where tenant = $1', [place.name])
    const types = packedTypes as ModelRequest['types']
    const job = await simulation.startExport(place.name, { patients: ['p0'], types, provenance: 'relevant' })
    await simulation.completed(job.id)
    checkExport(place.model, job, await simulation.parts(job.id))
  })
})
