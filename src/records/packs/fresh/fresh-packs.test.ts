import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { openTestStore, type TestStore } from '../../../database/store.fixture.ts'
import { population } from '../../../population/population.ts'
import { type Draft, draftOfLine } from '../../draft.ts'
import { SharedBuffers } from '../../load/shared-buffers.ts'
import { wideLines } from '../../load/wide-lines.fixture.ts'
import { NewRecordsBuilder } from '../../write/new/new-records-builder.ts'
import { writeNewRecords } from '../../write/new/write-new-records.ts'
import { write } from '../../write/write.ts'
import { dropAllPacks } from '../drop-packs.ts'
import { readBody } from '../pack-body.ts'
import { packChanged } from '../packer.ts'
import { FreshPacks } from './fresh-packs.ts'
import type { WrittenRows } from './written-rows.ts'

interface PackPlace {
  readonly owner: string
  readonly type: string
  readonly number: number
}

const draft = (line: string): Draft => {
  const read = draftOfLine(Buffer.from(line), [])
  assert.ok('text' in read)
  return read
}
const condition = (id: string, patient: string) =>
  draft(JSON.stringify({ resourceType: 'Condition', id, subject: { reference: `Patient/${patient}` } }))
const provenance = (id: string, targets: readonly string[], more: object = {}) =>
  draft(
    JSON.stringify({ resourceType: 'Provenance', id, target: targets.map((reference) => ({ reference })), ...more }),
  )

/** Provenances of each kind that packs tell apart, about patients and their records. */
function* provenances(drafts: readonly Draft[]): Generator<Draft> {
  const [first, second, third] = drafts.filter(({ type }) => type === 'Patient').map(({ id }) => id)
  const [of1, of2] = [first, second].map((owner) =>
    drafts.filter((each) => each.owners?.[0] === owner).map(({ key }) => key),
  )
  // The newest and others, of equal times and of none.
  for (const [index, recorded] of ['2024-01-01T00:00:00Z', '2023-01-01T00:00:00Z', '2024-01-01T00:00:00Z'].entries())
    yield provenance(`age-${index}`, of1!.slice(0, 2), { recorded })
  yield provenance('age-none', of1!.slice(0, 1))
  // Of several patients, and of one beside what belongs to nobody.
  for (let index = 0; index < 4; index++)
    yield provenance(`several-${index}`, [of2![index]!, `Patient/${third}`, of1![index]!])
  yield provenance('beside', ['Practitioner/x', `Patient/${first}`], {
    agent: [{ who: { reference: 'Practitioner/x' } }],
  })
  // Too much for one pack, and too much to be divided.
  const filler = 'x'.repeat(25_000)
  for (let index = 0; index < 200; index++) yield provenance(`large-${index}`, [of2![index % 90]!], { filler })
  for (let index = 0; index < 400; index++) yield provenance(`huge-${index}`, [`Patient/${third}`], { filler })
}

/** Drafts of few megabytes each. */
function* batches(drafts: readonly Draft[], recordsMax: number): Generator<Draft[]> {
  let batch: Draft[] = []
  let bytes = 0
  for (const each of drafts) {
    if (batch.length === recordsMax || bytes > 3_000_000) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(each)
    bytes += each.text.bytes.length
  }
  yield batch
}

/** Packs that differ are told by name: bytes of megabytes would be. */
const digested = (pack: PackPlace): string =>
  `${pack.owner} ${pack.type} ${pack.number} ${hash('sha256', JSON.stringify(pack))}`

let tenants = 0
const newTenant = () => `t-${++tenants}`

describe('packs of what was just written', () => {
  let store: TestStore
  const buffers = new SharedBuffers()
  before(async () => {
    store = await openTestStore()
  })
  after(() => store.close())

  async function written(tenant: string, drafts: readonly Draft[]): Promise<WrittenRows> {
    const builder = new NewRecordsBuilder(tenant, false, buffers.take(0))
    for (const each of drafts) {
      assert.ok(builder.takes(each))
      builder.add(each)
    }
    const rows = await writeNewRecords(store.pool, tenant, builder.finish(), (bytes) => buffers.take(bytes))
    assert.ok(rows)
    return rows
  }

  async function packs(tenant: string): Promise<(PackPlace & { readonly body: Buffer; readonly seal: string })[]> {
    const sql = `select * from pack where tenant = $1 and type <> '' order by owner, type, number`
    return (await store.pool.query(sql, [tenant])).rows
  }

  const marksOf = async (tenant: string): Promise<string[]> =>
    (
      await store.pool.query(`select owner || ' ' || type as mark from unpacked where tenant = $1 order by 1`, [tenant])
    ).rows.map(({ mark }) => mark)

  it('are to the byte those that are made of the store', async () => {
    const tenant = newTenant()
    const patients = [...population({ seed: 5, patients: 5 })].map(({ line }) => draft(line))
    const drafts = [...patients, ...provenances(patients)]
    const fresh = new FreshPacks(store.pool)
    let released = 0
    let writes = 0
    for (const ofProvenances of [false, true]) {
      const some = drafts.filter(({ owners }) => (owners === undefined) === ofProvenances)
      // Groups are cut apart, and lines come in no order of ids.
      for (const batch of batches(some, ofProvenances ? some.length : 97)) {
        await fresh.add(await written(tenant, batch.reverse()), () => released++)
        writes++
      }
    }
    await fresh.finish()
    assert.equal(released, writes)
    const made = await packs(tenant)
    const madeOf = made.filter(({ type }) => type === 'Provenance')
    const slices = madeOf.map(({ body, seal, ...place }) => readBody(body, Number(seal), { tenant, ...place })!.slice)
    assert.deepEqual(new Set(madeOf.map(({ owner }) => owner)).size, 5)
    assert.deepEqual(new Set(slices), new Set(['latest', 'older', '']))
    assert.ok(madeOf.some(({ number }) => number > 2))
    await dropAllPacks(store.pool, tenant)
    assert.deepEqual(await packs(tenant), [])
    await packChanged(store.pool, { tenant, settledMs: 0 }, () => true)
    assert.deepEqual(made.map(digested), (await packs(tenant)).map(digested))
  })

  it('are to the byte the same of records of all types that belong to patients, alone or to several', async () => {
    const tenant = newTenant()
    const { records, provenances } = wideLines(['p', 'q', 'r', 's'], 120)
    const fresh = new FreshPacks(store.pool)
    for (const lines of [records, provenances]) {
      for (const batch of batches(lines.map(draft), 400))
        await fresh.add(await written(tenant, batch.reverse()), () => {})
    }
    await fresh.finish()
    const made = await packs(tenant)
    assert.deepEqual([...new Set(made.map(({ type }) => type))].sort(), [
      'Account',
      'Appointment',
      'Composition',
      'Coverage',
      'Provenance',
      'RelatedPerson',
      'ServiceRequest',
    ])
    await dropAllPacks(store.pool, tenant)
    await packChanged(store.pool, { tenant, settledMs: 0 }, () => true)
    assert.deepEqual(made.map(digested), (await packs(tenant)).map(digested))
    const shared = made.filter(({ body, seal, ...place }) => readBody(body, Number(seal), { tenant, ...place })!.shared)
    assert.deepEqual([...new Set(shared.map(({ type }) => type))].sort(), [
      'Account',
      'Appointment',
      'Composition',
      'Provenance',
    ])
  })

  it('leave the pack of no type to the end', async () => {
    const tenant = newTenant()
    const fresh = new FreshPacks(store.pool)
    await fresh.add(await written(tenant, [condition('a', 'p')]), () => {})
    await fresh.finish()
    assert.deepEqual(await marksOf(tenant), ['p '])
    assert.equal((await packs(tenant)).length, 1)
  })

  /** What has happened to p's Conditions beside the rows of which packs are made. */
  const others: readonly (readonly [name: string, earlier: readonly Draft[], later: readonly Draft[]])[] = [
    ['were others before', [condition('z', 'p')], []],
    ['come others afterwards', [], [condition('z', 'p')]],
  ]
  for (const [name, earlier, later] of others) {
    it(`are not kept where there ${name}`, async () => {
      const tenant = newTenant()
      const put = async (drafts: readonly Draft[]) => {
        if (drafts.length > 0)
          await write(
            store.pool,
            tenant,
            drafts.map((each) => ({ kind: 'put', draft: each })),
          )
      }
      await put(earlier)
      const fresh = new FreshPacks(store.pool)
      await fresh.add(await written(tenant, [condition('a', 'p'), condition('b', 'q')]), () => {})
      await put(later)
      await fresh.finish()
      assert.deepEqual(
        (await packs(tenant)).map(({ owner }) => owner),
        ['q'],
      )
      assert.ok((await marksOf(tenant)).includes('p Condition'))
      await packChanged(store.pool, { tenant, settledMs: 0 }, () => true)
      assert.deepEqual(await marksOf(tenant), [])
      assert.deepEqual(
        (await packs(tenant)).map(({ owner }) => owner),
        ['p', 'q'],
      )
    })
  }

  it('are not kept where a writer comes between two of their writes', async () => {
    const tenant = newTenant()
    const fresh = new FreshPacks(store.pool)
    await fresh.add(await written(tenant, [condition('a', 'p')]), () => {})
    await write(store.pool, tenant, [{ kind: 'delete', key: { type: 'Condition', id: 'a' } }])
    await fresh.add(await written(tenant, [condition('b', 'p')]), () => {})
    await fresh.finish()
    assert.deepEqual(await packs(tenant), [])
    assert.ok((await marksOf(tenant)).includes('p Condition'))
  })

  it('are not kept of Provenances of which a target has gone since it was looked up', async () => {
    for (const isDeleted of [false, true]) {
      const tenant = newTenant()
      const fresh = new FreshPacks(store.pool)
      await written(tenant, [condition('a', 'p'), condition('b', 'p')])
      await fresh.add(await written(tenant, [provenance('v', ['Condition/a'])]), () => {})
      if (isDeleted) await write(store.pool, tenant, [{ kind: 'delete', key: { type: 'Condition', id: 'a' } }])
      await fresh.add(await written(tenant, [provenance('w', ['Condition/b'])]), () => {})
      await fresh.finish()
      const keys = (await packs(tenant)).map(({ owner, type }) => `${owner} ${type}`)
      assert.deepEqual(keys, isDeleted ? [] : ['p Provenance'])
      assert.equal((await marksOf(tenant)).includes('p Provenance'), isDeleted)
    }
  })

  it('are left to others where a patient whom Provenances are about is not there, who may come before they are kept', async () => {
    const tenant = newTenant()
    const fresh = new FreshPacks(store.pool)
    await written(tenant, [condition('a', 'p')])
    await fresh.add(await written(tenant, [provenance('v', ['Patient/p', 'Condition/a'])]), () => {})
    await fresh.add(await written(tenant, [draft('{"resourceType":"Patient","id":"p"}')]), () => {})
    await fresh.add(await written(tenant, [provenance('w', ['Condition/a'])]), () => {})
    await fresh.finish()
    assert.deepEqual(
      (await packs(tenant)).map(({ type }) => type),
      ['Patient'],
    )
    assert.ok((await marksOf(tenant)).includes('p Provenance'))
  })

  it('hold eight writes at most, and leave what is longer to others', async () => {
    for (const writes of [8, 9]) {
      const tenant = newTenant()
      const fresh = new FreshPacks(store.pool)
      let released = 0
      for (let number = 0; number < writes; number++) {
        await fresh.add(await written(tenant, [condition(`c${number}`, 'p')]), () => released++)
      }
      assert.equal(released, writes - 8 === 1 ? 9 : 0)
      await fresh.finish()
      assert.equal(released, writes)
      assert.equal((await packs(tenant)).length, 9 - writes)
    }
  })
})
