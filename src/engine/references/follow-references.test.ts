import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openTestStore } from '../../database/store.fixture.ts'
import { transaction } from '../../database/transaction.ts'
import { diskStore } from '../../files/disk-store.ts'
import type { FileStore } from '../../files/file-store.ts'
import { acceptJob, findJob, packJob } from '../../jobs/job.ts'
import { jobFiles } from '../../jobs/published-file.ts'
import { openProducer } from '../../jobs/queue.ts'
import { draftOf } from '../../records/draft.ts'
import { storeDrafts } from '../../records/load/store-drafts.ts'
import { startEngine } from '../engine.ts'

const finishMsMax = 300_000

const organization = (id: string, partOf?: string) =>
  JSON.stringify({
    resourceType: 'Organization',
    id,
    ...(partOf === undefined ? {} : { partOf: { reference: `Organization/${partOf}` } }),
  })

const sources = [
  '{"resourceType":"Patient","id":"p","managingOrganization":{"reference":"Organization/a"}}',
  organization('a', 'b'),
  organization('b', 'c'),
  organization('c', 'a'),
  organization('stranger', 'a'),
]

test('O-14: a transitive export whose last partition fails when all was noted brings each record once', async () => {
  const store = await openTestStore()
  const { pool, connection } = store
  try {
    const drafts = sources.map((source) => draftOf(source, [])).filter((draft) => 'text' in draft)
    await storeDrafts(pool, 'clinic', drafts, false, () => {})
    const id = randomUUID()
    const noted = async () => {
      const sql = 'select id, hop from reference where job = $1 order by hop, id'
      return (await pool.query<{ id: string; hop: number }>(sql, [id])).rows.map((row) => `${row.id} ${row.hop}`)
    }
    const before: string[][] = []
    const files = failingOnce(diskStore(join(store.directory, 'files')), async () => before.push(await noted()))
    const producer = await openProducer(pool, () => {})
    const engine = await startEngine({ pool, connection, files, concurrency: 1, log: () => {} })
    const request = {
      patients: ['p'],
      types: ['Patient', 'Organization'] as const,
      filters: {},
      base: '',
      provenance: 'relevant' as const,
      referenceWalk: 'transitive' as const,
      lenient: false,
      warnings: [],
    }
    const job = { id, tenant: 'clinic', client: 'c', url: '', request }
    await transaction(pool, async (client) => acceptJob(client, producer.enqueue, await packJob(job)))
    for (const begun = performance.now(); performance.now() - begun < finishMsMax; await pause(50)) {
      if ((await findJob(pool, id))?.state === 'completed') break
    }
    const parts = await jobFiles(pool, id)
    await engine.stop()
    await producer.stop()
    assert.deepEqual(before, [['a 0', 'b 1', 'c 2']], 'the first attempt had noted all')
    assert.deepEqual(
      parts.map(({ type, records }) => [type, records]),
      [
        ['Organization', 3],
        ['Patient', 1],
      ],
    )
  } finally {
    await store.close()
  }
})

/** A store in which the first file of Organizations cannot be created. */
function failingOnce(store: FileStore, onFailure: () => Promise<unknown>): FileStore {
  let failed = false
  return {
    ...store,
    create: async (path) => {
      if (failed || !path.includes('Organization')) return store.create(path)
      failed = true
      await onFailure()
      throw new Error('the disk is not there')
    },
  }
}
