import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { recordsOfOwners } from '../as-of.ts'
import { draftOf, provenanceTargetsMax } from '../draft.ts'
import { storeDrafts } from '../load/store-drafts.ts'
import { packChanged } from '../packs/packer.ts'
import { write } from '../write/write.ts'
import { isOutdated, outdatedTenants } from './outdated-tenants.ts'
import { pageBytesMax, pageRecordsMax, type Reowned, reownTenant } from './reown-tenant.ts'

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
    await outdate(tenant)
    await packChanged(store.pool, { tenant, settledMs: 0 }, () => true)
  }

  const outdate = (tenant: string) => store.pool.query('insert into outdated_tenant (tenant) values ($1)', [tenant])

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
    'Provenance 1 p > ServiceRequest/s ServiceRequest/s',
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
      `update outdated_tenant set (after_type, after_id) = ('Appointment', 'a') where tenant = 'broken'`,
    )
    assert.deepEqual((await told('broken')).at(-1), { tenant: 'broken', looked: sources.length - 1, placed: 3 })
    assert.deepEqual((await trimmed('broken'))[0], 'Appointment 1  >')
  })

  it('keep the owners and references that they had, whatever the URL of the server is now', async () => {
    const former = 'http://127.0.0.1:8080/r4/moved'
    const [p, q] = patients.map(({ id }) => reference(`${former}/Patient/${id}`))
    const [d, x] = [reference(`${former}/Practitioner/d`), reference(`${former}/Medication/x`)]
    const moved = [
      { ...appointment, participant: [p, d, q].map((actor) => ({ actor })) },
      {
        resourceType: 'Observation',
        id: 'o',
        subject: p,
        performer: [d, reference('https://elsewhere.example/Practitioner/e')],
      },
      { ...prescription, subject: p, medicationReference: x },
      { ...provenance, target: [reference(`${former}/Observation/o`)] },
    ]
    const drafts = moved.map((source) => draftOf(JSON.stringify(source), [former])).filter((draft) => 'text' in draft)
    await storeDrafts(store.pool, 'moved', drafts, false, () => {})
    await store.pool.query(formerSql[2]!, ['moved'])
    await outdate('moved')
    const present = 'https://fhir.example.org/r4/moved'
    await Array.fromAsync(reownTenant(store.pool, 'moved', [present]))
    assert.deepEqual(await trimmed('moved'), [
      'Appointment 1 p > Practitioner/d',
      'Appointment 1 q > Practitioner/d',
      'MedicationRequest 1 p > !/Medication',
      'Observation 1 p > Practitioner/d !/Practitioner',
      'Provenance 1 p >  Observation/o',
    ])
    await outdate('moved')
    await Array.fromAsync(reownTenant(store.pool, 'moved', [former]))
    assert.equal((await trimmed('moved'))[2], 'MedicationRequest 1 p > !/Medication Medication/x')
  })

  it('are taken however many targets and identifiers they have: they were taken once', async () => {
    const targets = Array.from({ length: provenanceTargetsMax + 1 }, (_, at) => reference(`Claim/${at}`))
    const drafts = [
      draftOf(JSON.stringify({ ...provenance, target: [...targets.slice(1), reference('ServiceRequest/s')] }), []),
      draftOf(JSON.stringify(order), []),
    ].filter((draft) => 'text' in draft)
    assert.equal(drafts.length, 1, 'one more than a new one may have')
    await storeDrafts(store.pool, 'many', drafts, false, () => {})
    const few = draftOf(JSON.stringify({ ...provenance, target: [] }), [])
    assert.ok('text' in few)
    await storeDrafts(store.pool, 'many', [few], false, () => {})
    const body = JSON.stringify({
      ...provenance,
      target: [...targets.slice(1), reference('ServiceRequest/s')],
      meta: { versionId: '1' },
    })
    await store.pool.query(`update record set body = $1 where tenant = 'many' and type = 'Provenance'`, [body])
    await outdate('many')
    assert.equal((await told('many')).at(-1)!.placed, 1)
    const { rows } = await store.pool.query(
      `select owner, array_length(string_to_array(targets, ' '), 1) as targets from record
       where tenant = 'many' and type = 'Provenance' and superseded = 'infinity'`,
    )
    assert.deepEqual(rows, [{ owner: 'p', targets: provenanceTargetsMax + 1 }])
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
    await outdate(tenant)
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

  it('are written in pages of few bytes, each of their rows counted, a larger one alone', async () => {
    const noteOf = (bytes: number) => 'x'.repeat(bytes)
    const eighth = pageBytesMax / 8
    const sources = [1, 2, 3, 4].map((number) => ({ ...appointment, id: `a-${number}`, comment: noteOf(eighth) }))
    const drafts = sources.map((source) => draftOf(JSON.stringify(source), [])).filter((draft) => 'text' in draft)
    await storeDrafts(store.pool, 'rows', drafts, false, () => {})
    for (const sql of formerSql) await store.pool.query(sql, ['rows'])
    await outdate('rows')
    const done = (await told('rows')).map(({ looked, placed }) => [looked, placed])
    assert.deepEqual(done, [
      [3, 3],
      [4, 4],
      [4, 4],
    ])
  })

  it('let nobody export half of them: a tenant is through before all are', async () => {
    await outdate('last')
    assert.deepEqual(await outdatedTenants(store.pool), [{ tenant: 'last', publicUrl: undefined }])
    assert.deepEqual([await isOutdated(store.pool, 'last'), await isOutdated(store.pool, 'whole')], [true, false])
    await told('last')
    assert.equal(await isOutdated(store.pool, 'last'), false)
  })
})
