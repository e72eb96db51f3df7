import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openTestStore, type TestStore } from '../../../database/store.fixture.ts'
import { ownersMax } from '../../../fhir/ownership.ts'
import { population } from '../../../population/population.ts'
import { type Draft, draftOfLine } from '../../draft.ts'
import { SharedBuffers } from '../../load/shared-buffers.ts'
import { wideLines } from '../../load/wide-lines.fixture.ts'
import { write } from '../write.ts'
import { NewRecordsBuilder } from './new-records-builder.ts'
import { writeNewRecords } from './write-new-records.ts'

const draft = (resource: object): Draft => {
  const read = draftOfLine(Buffer.from(JSON.stringify(resource)), [])
  assert.ok('text' in read)
  return read
}
const condition = (id: string, patient: string, more: object = {}) =>
  draft({ resourceType: 'Condition', id, subject: { reference: `Patient/${patient}` }, ...more })
const provenance = (id: string, ...targets: string[]) =>
  draft({ resourceType: 'Provenance', id, target: targets.map((reference) => ({ reference })) })
const appointment = (id: string, patient: string, count: number) => {
  const participant = Array.from({ length: count }, (_, at) => ({ actor: { reference: `Patient/${patient}${at}` } }))
  return draft({ resourceType: 'Appointment', id, participant })
}

let tenants = 0
const newTenant = () => `t-${++tenants}`

describe('records that are new', () => {
  let store: TestStore
  const buffers = new SharedBuffers()
  before(async () => {
    store = await openTestStore()
  })
  after(() => store.close())

  async function writeRows(tenant: string, drafts: readonly Draft[], keepLastUpdated = false) {
    const builder = new NewRecordsBuilder(tenant, keepLastUpdated, buffers.take(0))
    for (const each of drafts) {
      assert.ok(builder.takes(each))
      builder.add(each)
    }
    return writeNewRecords(store.pool, tenant, builder.finish(), (bytes) => buffers.take(bytes))
  }

  const writeChanges = (tenant: string, drafts: readonly Draft[], keepLastUpdated = false) =>
    write(
      store.pool,
      tenant,
      drafts.map((each) => ({ kind: 'put', draft: each })),
      { keepLastUpdated, probablyNew: true },
    )

  /** Everything that the store has of a tenant, without its name and the times of the writes. */
  async function contents(tenant: string) {
    const own = `case when updated = written then 'written' else updated::text end`
    const rows = async (sql: string) => (await store.pool.query(sql, [tenant])).rows
    return {
      records: await rows(
        `select owner, type, id, version, superseded, deleted, lead, shared, refs, targets, digest, ${own} as updated,
           case when updated = written then regexp_replace(body, '"lastUpdated":"[^"]*"', '') else body end as body,
           updated <> written or body like '%"lastUpdated":"' || to_char(written at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"%' as timed
         from record where tenant = $1 order by type, id, owner`,
      ),
      identifiers: await rows('select type, token, id from identifier where tenant = $1 order by type, token, id'),
      marks: await rows('select owner, type from unpacked where tenant = $1 order by owner, type'),
      awaited: await rows('select type, id, provenance from awaited_target where tenant = $1'),
    }
  }

  for (const keepLastUpdated of [false, true]) {
    it(`are what other writes make of them, ${keepLastUpdated ? 'with' : 'without'} the times of their source`, async () => {
      const drafts = [...population({ seed: 3, patients: 4 })].map(({ line }) => {
        const read = draftOfLine(Buffer.from(line), [])
        assert.ok('text' in read)
        return read
      })
      const [rows, changes] = [newTenant(), newTenant()]
      for (const ofProvenances of [false, true]) {
        const some = drafts.filter(({ owners }) => (owners === undefined) === ofProvenances)
        assert.ok(some.length > 100)
        assert.ok(await writeRows(rows, some, keepLastUpdated))
        await writeChanges(changes, some, keepLastUpdated)
      }
      const found = await contents(rows)
      assert.ok(found.records.every(({ timed }) => timed))
      assert.deepEqual(found, await contents(changes))
    })
  }

  it('are what other writes make of them where they belong to several patients, and what is about these', async () => {
    const { records, provenances } = wideLines(['p1', 'p2', 'p3'], 6)
    const found = []
    for (const writeAll of [writeRows, writeChanges]) {
      const tenant = newTenant()
      for (const lines of [records, provenances]) {
        const drafts = lines.map((line) => draft(JSON.parse(line)))
        assert.ok(await writeAll(tenant, drafts))
      }
      found.push(await contents(tenant))
    }
    assert.deepEqual(found[0], found[1])
    const shared = new Set(found[0]!.records.filter(({ shared }) => shared).map(({ type }) => type))
    assert.deepEqual([...shared], ['Account', 'Appointment', 'Composition', 'Provenance'])
  })

  it('may be Provenances of several patients, of one that is not there, and of none', async () => {
    const provenances = [
      provenance('several', 'Condition/b', 'Condition/a', 'Condition/c'),
      provenance('patient', 'Patient/absent'),
      provenance('none', 'Practitioner/x'),
    ]
    const found = []
    for (const writeAll of [writeRows, writeChanges]) {
      const tenant = newTenant()
      await writeAll(tenant, [condition('a', 'p1'), condition('b', 'p2'), condition('c', 'p1')])
      await writeAll(tenant, provenances)
      found.push(await contents(tenant))
    }
    assert.deepEqual(found[0], found[1])
    const owners = found[0]!.records.filter(({ type }) => type === 'Provenance').map(({ id, owner }) => [id, owner])
    assert.deepEqual(owners, [
      ['none', ''],
      ['patient', 'absent'],
      ['several', 'p1'],
      ['several', 'p2'],
    ])
  })

  /** What is there before; and what is then more than new. */
  const more: readonly (readonly [name: string, before: readonly Draft[], then: readonly Draft[]])[] = [
    ['one of them is there', [condition('b', 'p')], [condition('a', 'p'), condition('b', 'p')]],
    ['one of them is there and the same', [condition('a', 'p')], [condition('a', 'p')]],
    ['a target is not there', [], [provenance('v', 'Condition/absent')]],
    ['a target belongs to nobody', [draft({ resourceType: 'Condition', id: 'a' })], [provenance('v', 'Condition/a')]],
    [
      'a Provenance is about records of a crowd',
      [appointment('a', 'p', ownersMax), appointment('b', 'q', 1)],
      [provenance('v', 'Appointment/a', 'Appointment/b')],
    ],
    ['a Provenance waits for one', [provenance('v', 'Condition/a')], [condition('a', 'p')]],
  ]
  for (const [name, there, then] of more) {
    it(`are not written where ${name}`, async () => {
      const tenant = newTenant()
      if (there.length > 0) await writeChanges(tenant, there)
      const contentsBefore = await contents(tenant)
      assert.equal(await writeRows(tenant, then), undefined)
      assert.deepEqual(await contents(tenant), contentsBefore)
    })
  }

  it('are of one kind: Provenances or others', () => {
    const builder = new NewRecordsBuilder('t', false, buffers.take(0))
    builder.add(condition('a', 'p'))
    assert.ok(builder.takes(condition('b', 'p')))
    assert.ok(!builder.takes(provenance('v', 'Condition/a')))
  })
})
