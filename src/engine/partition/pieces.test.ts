import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { transaction } from '../../database/transaction.ts'
import { diskStore } from '../../files/disk-store.ts'
import { acceptJob, findJob, packJob } from '../../jobs/job.ts'
import { openProducer, type Producer } from '../../jobs/queue.ts'
import type { ExportRequest } from '../../protocol/request/export-request.ts'
import { draftOf } from '../../records/draft.ts'
import { storeDrafts } from '../../records/load/store-drafts.ts'
import { packChanged } from '../../records/packs/packer.ts'
import { startEngine } from '../engine.ts'

const pollMs = 50
const tenant = 'clinic'

/** Records of one patient that need more than one pack: their texts do not deflate. */
describe('packs of several pieces', () => {
  let store: TestStore
  let producer: Producer
  let engine: Awaited<ReturnType<typeof startEngine>>
  const told: string[] = []

  before(async () => {
    store = await openTestStore()
    producer = await openProducer(store.pool, () => {})
    const files = diskStore(join(store.directory, 'files'))
    const log = (event: string) => void told.push(event)
    engine = await startEngine({ pool: store.pool, connection: store.connection, files, concurrency: 1, log })
    await put({ resourceType: 'Patient', id: 'p' }, ...Array.from({ length: 19 }, (_, n) => observation(`a${n + 10}`)))
    await put(provenance('v1', 'Observation/a11'))
  })
  after(async () => {
    await engine.stop()
    await producer.stop()
    await store.close()
  })

  const noise = (bytes: number) => Array.from({ length: bytes / 36 }, () => randomUUID()).join('')
  const observation = (id: string, bytes = 100_000) => ({
    ...{ resourceType: 'Observation', id, subject: { reference: 'Patient/p' }, note: [{ text: noise(bytes) }] },
  })
  const provenance = (id: string, reference: string) => ({
    ...{ resourceType: 'Provenance', id, recorded: '2026-01-01T00:00:00Z', target: [{ reference }] },
  })

  async function put(...records: (object | string)[]): Promise<void> {
    const drafts = records.map((record) => {
      const draft = draftOf(typeof record === 'string' ? record : JSON.stringify(record), [])
      assert.ok('text' in draft)
      return draft
    })
    await storeDrafts(store.pool, tenant, drafts, false, () => {})
  }

  async function now(): Promise<number> {
    const { rows } = await store.pool.query<{ at: Date }>('select max(written) as at from record')
    await pause(5)
    return rows[0]!.at.getTime()
  }

  /** Which records come out, in order, by type. */
  async function exported(more: Partial<ExportRequest>): Promise<Record<string, string[]>> {
    const id = randomUUID()
    const about = { patients: ['p'], filters: {}, base: '', provenance: 'relevant' as const, lenient: false }
    const request = { ...about, types: ['Observation', 'Provenance'], warnings: [], ...more } as ExportRequest
    const job = await packJob({ id, tenant, client: id, url: '', request })
    await transaction(store.pool, (client) => acceptJob(client, producer.enqueue, job))
    for (;;) {
      const state = (await findJob(store.pool, id))!.state
      assert.notEqual(state, 'failed')
      if (state === 'completed') break
      assert.ok(!told.includes('task-failed'), 'no attempt fails')
      await pause(pollMs)
    }
    const parts = 'select path, type from part where job = $1 order by type, partition, number'
    const { rows } = await store.pool.query<{ path: string; type: string }>(parts, [id])
    const ids: Record<string, string[]> = {}
    for (const { path, type } of rows) {
      const text = gunzipSync(await readFile(join(store.directory, 'files', path))).toString()
      ids[type] = [
        ...(ids[type] ?? []),
        ...text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line).id),
      ]
    }
    return ids
  }

  /** The same out of packs and, when there are none, out of versions. */
  async function same(more: Partial<ExportRequest>, expected: Record<string, string[]>): Promise<void> {
    await packChanged(store.pool, { settledMs: 0 }, () => true)
    const { rows } = await store.pool.query(`select from pack where type = 'Observation'`)
    assert.ok(rows.length > 1)
    assert.deepEqual(await exported(more), expected)
    await store.pool.query('delete from pack')
    assert.deepEqual(await exported(more), expected)
    await store.pool.query(
      'insert into unpacked (tenant, owner, type) select distinct tenant, owner, type from record on conflict do nothing',
    )
  }

  it('of which one is older than _since bring along no Provenance of it', async () => {
    const since = await now()
    await put(observation('z1', 300_000), provenance('v2', 'Observation/z1'))
    await same({ since }, { Observation: ['z1'], Provenance: ['v2'] })
  })

  it('of which one is partly later than _since, and one wholly', async () => {
    const since = await now()
    await put(observation('a15'), observation('z1', 300_000))
    await same({ since }, { Observation: ['a15', 'z1'], Provenance: ['v2'] })
    await same({ until: since }, { Observation: [...first(), 'a16', 'a17', 'a18', ...last()], Provenance: ['v1'] })
  })
  const first = () => ['a10', 'a11', 'a12', 'a13', 'a14']
  const last = () => Array.from({ length: 10 }, (_, n) => `a${n + 19}`)

  it('whose ids are written with escapes are known by them', async () => {
    const record = { ...observation('o', 10), id: 'ox' }
    await put(JSON.stringify(record).replace('"ox"', '"\\u006fx"'), provenance('v3', 'Observation/ox'))
    const filters = { Observation: [[{ type: 'Observation', criteria: [] }]] }
    const { Provenance } = await exported({ filters } as never)
    assert.deepEqual(Provenance, ['v1', 'v2', 'v3'])
    await packChanged(store.pool, { settledMs: 0 }, () => true)
    assert.deepEqual((await exported({ filters } as never)).Provenance, ['v1', 'v2', 'v3'])
  })
})
