import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { ownershipRules } from '../../fhir/ownership.ts'
import { recordsOfOwners } from '../as-of.ts'
import { draftOf } from '../draft.ts'
import { storeDrafts } from '../load/store-drafts.ts'
import { packChanged } from '../packs/packer.ts'
import { write } from '../write/write.ts'
import { pageBytesMax, pageRecordsMax, type Reowned, reownTenant } from './reown-tenant.ts'
import { endReowning, isStoreUnderRules, isUnderRules, tenantsOfStore } from './rules-of-store.ts'

const reference = (to: string) => ({ reference: to })
const patients = ['p', 'q'].map((id) => ({ resourceType: 'Patient', id }))
const appointment = {
  resourceType: 'Appointment',
  id: 'a',
  participant: patients.map(({ id }) => ({ actor: reference(`Patient/${id}`) })),
}
const order = { resourceType: 'ServiceRequest', id: 's', subject: reference('Patient/p') }
const prescription = {
  resourceType: 'MedicationRequest',
  id: 'm',
  subject: reference('Patient/p'),
  medicationReference: reference('Medication/x'),
}
const provenance = { resourceType: 'Provenance', id: 'v', target: [reference('ServiceRequest/s')], n: 1 }
const sources = [...patients, appointment, order, prescription, provenance]

/** What a version before left: nobody's, no target, and a mark. */
const formerSql = [
  `update record set owner = '', lead = true, shared = false where tenant = $1 and type in ('Appointment', 'ServiceRequest', 'Provenance') and lead`,
  `delete from record where tenant = $1 and not lead`,
  `update record set refs = '+/Medication' where tenant = $1 and type = 'MedicationRequest'`,
  `update record set targets = '' where tenant = $1 and type = 'Provenance'`,
]

describe('records that were stored under former rules of ownership', () => {
  let store: TestStore

  before(async () => {
    store = await openTestStore()
  })
  after(() => store.close())

  async function fill(tenant: string): Promise<void> {
    const drafts = sources.map((source) => draftOf(JSON.stringify(source), [])).filter((draft) => 'text' in draft)
    await storeDrafts(store.pool, tenant, drafts, false, () => {})
    for (const sql of formerSql) await store.pool.query(sql, [tenant])
    await store.pool.query(`update setting set value = '1' where name = 'ownership_rules'`)
    await packChanged(store.pool, { tenant, settledMs: 0 }, () => true)
  }

  const asIs = async (tenant: string) => {
    const { rows } = await store.pool.query<{ row: string }>(
      `select concat_ws(' ', type, version, owner, '>', refs, targets) as row from record
       where tenant = $1 and superseded = 'infinity' and type <> 'Patient' order by type, owner`,
      [tenant],
    )
    return rows.map(({ row }) => row)
  }

  const owned = [
    'Appointment 1 p >',
    'Appointment 1 q >',
    'MedicationRequest 1 p > Medication/x',
    'Provenance 1 p >  ServiceRequest/s',
    'ServiceRequest 1 p >',
  ].map((row) => row.trim())

  const told = async (tenant: string): Promise<Reowned[]> => Array.fromAsync(reownTenant(store.pool, tenant, []))
  const trimmed = async (tenant: string) => (await asIs(tenant)).map((row) => row.trim())

  it('get their owners, targets and references; versions, times and texts stay, and so does the past', async () => {
    await fill('whole')
    const bodies = async () =>
      (
        await store.pool.query(
          `select type, id, updated, body, digest from record where tenant = 'whole' and lead and superseded = 'infinity' order by type, id`,
        )
      ).rows
    const before = await bodies()
    const { rows } = await store.pool.query<{ at: Date }>('select cut() as at')
    const asOf = rows[0]!.at.getTime()
    assert.deepEqual((await told('whole')).at(-1), { tenant: 'whole', looked: sources.length, placed: 4 })
    assert.deepEqual(await trimmed('whole'), owned)
    assert.deepEqual(await bodies(), before)
    const orders = (owner: string, at: number) =>
      Array.fromAsync(
        recordsOfOwners(store.pool, { tenant: 'whole', type: 'ServiceRequest', owners: [owner], asOf: at }),
      )
    assert.deepEqual((await orders('', asOf)).flat().length, 1)
    assert.deepEqual((await orders('p', asOf)).flat().length, 0)
    assert.deepEqual((await orders('p', Date.UTC(2200, 0, 1))).flat().length, 1)
    assert.deepEqual(await told('whole'), [], 'once')
  })

  it('are gone on with where it was broken off', async () => {
    await fill('broken')
    await store.pool.query(
      `insert into ruled_tenant (tenant, rules, after_type, after_id) values ('broken', $1, 'Appointment', 'a')`,
      [ownershipRules],
    )
    assert.deepEqual((await told('broken')).at(-1), { tenant: 'broken', looked: sources.length - 1, placed: 3 })
    assert.deepEqual((await trimmed('broken'))[0], 'Appointment 1  >')
  })

  it('are begun anew where it was broken off under other rules', async () => {
    await fill('other')
    await store.pool.query(
      `insert into ruled_tenant (tenant, rules, after_type, after_id, done) values ('other', 1, 'Z', 'z', true)`,
    )
    assert.equal((await told('other')).at(-1)!.placed, 4)
    assert.deepEqual(await trimmed('other'), owned)
  })

  it('that somebody writes meanwhile are left as they were written', async () => {
    await fill('written')
    const changed = draftOf(JSON.stringify({ ...order, subject: reference('Patient/q') }), [])
    assert.ok('text' in changed)
    await write(store.pool, 'written', [{ kind: 'put', draft: changed, again: 7 }])
    assert.ok((await trimmed('written')).includes('ServiceRequest 1  >'), 'it is another version')
    await write(store.pool, 'written', [{ kind: 'put', draft: changed }])
    await told('written')
    assert.ok((await trimmed('written')).includes('ServiceRequest 2 q >'))
  })

  /** How many records are looked at in each page of a tenant with those of some texts. */
  async function pages(tenant: string, notes: readonly string[]): Promise<number[]> {
    const drafts = notes.map((note, index) =>
      draftOf(JSON.stringify({ resourceType: 'Basic', id: `b-${1000 + index}`, note }), []),
    )
    const stored = drafts.filter((draft) => 'text' in draft)
    await storeDrafts(store.pool, tenant, stored, false, () => {})
    const looked = (await told(tenant)).map((reowned) => reowned.looked)
    await store.pool.query('delete from record where tenant = $1', [tenant])
    return looked.map((count, index) => count - (looked[index - 1] ?? 0))
  }

  it('are looked at page by page', async () => {
    const sizes = [pageRecordsMax - 1, pageRecordsMax, pageRecordsMax + 1]
    const found = []
    for (const size of sizes) found.push(await pages(`p-${size}`, Array(size).fill('')))
    assert.deepEqual(found, [
      [sizes[0], 0],
      [sizes[1], 0],
      [sizes[1], 1, 0],
    ])
  })

  it('are looked at in pages of few bytes, a larger one alone', async () => {
    const sizeSql = `select octet_length(body) as bytes from record where tenant = 'size'`
    const draft = draftOf('{"resourceType":"Basic","id":"b-1000","note":""}', [])
    assert.ok('text' in draft)
    await storeDrafts(store.pool, 'size', [draft], false, () => {})
    const empty: number = (await store.pool.query(sizeSql)).rows[0].bytes
    await store.pool.query(`delete from record where tenant = 'size'`)
    const noteOf = (bytes: number) => 'x'.repeat(bytes - empty)
    const half = pageBytesMax / 2
    assert.deepEqual(await pages('b-1', [noteOf(half), noteOf(half - 1), '']), [2, 1, 0])
    assert.deepEqual(await pages('b-2', [noteOf(half), noteOf(half), '']), [2, 1, 0])
    assert.deepEqual(await pages('b-3', [noteOf(half), noteOf(half + 1), '']), [1, 2, 0])
    assert.deepEqual(await pages('b-4', [noteOf(pageBytesMax + 1), '']), [1, 1, 0])
  })

  it('let nobody export half of them: a tenant is through before all are', async () => {
    assert.equal(await isStoreUnderRules(store.pool), false)
    assert.deepEqual(await tenantsOfStore(store.pool), ['broken', 'other', 'whole', 'written'])
    assert.deepEqual([await isUnderRules(store.pool, 'whole'), await isUnderRules(store.pool, 'new')], [true, false])
    await endReowning(store.pool)
    assert.deepEqual([await isUnderRules(store.pool, 'whole'), await isUnderRules(store.pool, 'new')], [true, true])
  })
})
