import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { transaction } from '../database/transaction.ts'
import { acceptJob, claimPlanning, deleteJob, type Job, packJob } from '../jobs/job.ts'
import { unpackIds } from '../jobs/packed-text.ts'
import { addPlanned } from '../jobs/paged-plan.ts'
import { draftOf } from '../records/draft.ts'
import { storeDrafts } from '../records/load/store-drafts.ts'
import { planUnlisted } from './plan-unlisted.ts'

const planner = 1
const otherPlanner = 2

/** More than two pages of owners. */
const patients = 10_001
const idOf = (index: number) => `p${String(index).padStart(6, '0')}`

describe('planning an export without a list of patients', () => {
  let store: TestStore
  before(async () => {
    store = await openTestStore()
    await storeDrafts(store.pool, 'clinic', drafts(), false, () => {})
    await storeDrafts(store.pool, 'neighbour', drafts(1), false, () => {})
  })
  after(() => store.close())

  function* drafts(count = patients) {
    for (let index = 0; index < count; index++) {
      const draft = draftOf(`{"resourceType":"Patient","id":"${idOf(index)}"}`, [])
      assert.ok('text' in draft)
      yield draft
    }
    const nobodys = draftOf('{"resourceType":"Location","id":"here"}', [])
    assert.ok('text' in nobodys)
    yield nobodys
  }

  async function claimed(more: object = {}): Promise<Job> {
    const id = randomUUID()
    const about = { types: ['Patient', 'Location'] as const, filters: {}, base: '', provenance: 'relevant' as const }
    const request = { patients: [], reach: 'patients' as const, ...about, lenient: false, warnings: [], ...more }
    const job = { id, tenant: 'clinic', client: id, url: '', request }
    assert.ok(await transaction(store.pool, async (client) => acceptJob(client, async () => {}, await packJob(job))))
    return (await claimPlanning(store.pool, id, planner))!
  }

  const plan = (job: Job) => planUnlisted(store.pool, job, job.request.types, planner)

  async function ownersOf(job: Job): Promise<string[]> {
    const sql = 'select owners_packed as packed from partition where job = $1 order by number'
    const { rows } = await store.pool.query<{ packed: Buffer }>(sql, [job.id])
    return (await Promise.all(rows.map(({ packed }) => unpackIds(packed)))).flat()
  }

  const everybody = Array.from({ length: patients }, (_, index) => idOf(index))

  it('finds every owner of the tenant once, in order, in however many pages', async () => {
    const job = await claimed()
    assert.equal(await plan(job), 1)
    assert.deepEqual(await ownersOf(job), everybody)
  })

  it('adds what belongs to nobody for a whole system, but not to blocks of patients', async () => {
    const system = await claimed({ reach: 'system' })
    assert.equal(await plan(system), 2, 'in a partition of its own')
    assert.deepEqual(await ownersOf(system), ['', ...everybody])
    const blocks = await claimed({ reach: 'system', organizedBy: 'Patient' })
    await plan(blocks)
    assert.deepEqual(await ownersOf(blocks), everybody)
  })

  it('leaves out owners without a record in the window', async () => {
    const job = await claimed({ since: Date.now() + 3_600_000 })
    assert.equal(await plan(job), 0)
    assert.deepEqual(await ownersOf(job), [])
  })

  it('begins anew where another planner died', async () => {
    const job = await claimed()
    assert.ok(await addPlanned(store.pool, job.id, planner, [{ owners: ['left'], records: 1 }], 0))
    assert.equal(await plan(job), 1)
    assert.deepEqual(await ownersOf(job), everybody)
  })

  it('writes nothing when somebody else plans, or the job was deleted', async () => {
    const taken = await claimed()
    await store.pool.query('update job set planner = $2 where id = $1', [taken.id, otherPlanner])
    assert.equal(await plan(taken), undefined)
    assert.equal(await addPlanned(store.pool, taken.id, planner, [{ owners: ['x'], records: 1 }], 0), false)
    const deleted = await claimed()
    await deleteJob(store.pool, deleted.id)
    assert.equal(await plan(deleted), undefined)
    assert.deepEqual([await ownersOf(taken), await ownersOf(deleted)], [[], []])
  })
})
