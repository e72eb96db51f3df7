import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { transaction } from '../database/transaction.ts'
import { DiskShort } from '../files/disk-floor.ts'
import { diskStore } from '../files/disk-store.ts'
import type { FileStore } from '../files/file-store.ts'
import { acceptJob, deleteJob, findJob, packJob } from '../jobs/job.ts'
import { askMending } from '../jobs/mending.ts'
import { claimPartition } from '../jobs/partition.ts'
import { findFile, jobFiles, type StoredPart } from '../jobs/published-file.ts'
import { openProducer, type Producer } from '../jobs/queue.ts'
import { partitionAttemptsMax } from '../protocol/limits.ts'
import { draftOf } from '../records/draft.ts'
import { storeDrafts } from '../records/load/store-drafts.ts'
import { noMeter } from '../telemetry/meter.ts'
import { startEngine } from './engine.ts'
import { runPartition } from './run-partition.ts'

interface PublishedPart extends StoredPart {
  readonly job: string
}

const pollMs = 50
const worker = 7

describe('a damaged file that is made again', () => {
  let store: TestStore
  let producer: Producer
  let files: FileStore
  let part: PublishedPart

  before(async () => {
    store = await openTestStore()
    producer = await openProducer(store.pool, () => {})
    files = diskStore(join(store.directory, 'files'))
    const draft = draftOf('{"resourceType":"Patient","id":"p"}', [])
    assert.ok('text' in draft)
    await storeDrafts(store.pool, 'clinic', [draft], false, () => {})
  })
  after(async () => {
    await producer.stop()
    await store.close()
  })
  beforeEach(async () => {
    part = await damaged()
  })

  const start = (used: FileStore) =>
    startEngine({ pool: store.pool, connection: store.connection, files: used, concurrency: 1, log: () => {} })

  /** The file of a completed export, which is gone, and is to be made again. */
  async function damaged(): Promise<PublishedPart> {
    const id = randomUUID()
    const about = { types: ['Patient'] as const, filters: {}, base: '', provenance: 'relevant' as const }
    const request = { patients: ['p'], ...about, lenient: false, warnings: [] }
    const job = await packJob({ id, tenant: 'clinic', client: id, url: '', request })
    const engine = await start(files)
    await transaction(store.pool, (client) => acceptJob(client, producer.enqueue, job))
    while ((await findJob(store.pool, id))?.state !== 'completed') await pause(pollMs)
    await engine.stop()
    const [published] = await jobFiles(store.pool, id)
    const found = (await findFile(store.pool, published!.id))!.parts[0]!
    await rm(join(store.directory, 'files', found.path))
    assert.equal(await askMending(store.pool, producer.enqueue, id, found), 'begun')
    return { ...found, job: id }
  }

  it('may wait for room: that uses none of its tries up, and another failure does not throw the export away', async () => {
    const beforeLast = `update partition set spent = attempt + 2 - $2 where job = $1 and number = $3`
    await store.pool.query(beforeLast, [part.job, partitionAttemptsMax, part.partition])
    const failures = [new DiskShort(''), new DiskShort(''), new Error('another failure')]
    const create: FileStore['create'] = (path) => {
      const failure = failures.shift()
      return failure ? Promise.reject(failure) : files.create(path)
    }
    const engine = await start({ ...files, create })
    // The test does not wait as long as the engine does.
    const sql = `with sooner as (update partition set due = null where job = $1 and state = 'waiting')
      select state = 'completed' and mending_since is not null as mending from job where id = $1`
    while ((await store.pool.query(sql, [part.job])).rows[0].mending) await pause(pollMs)
    await engine.stop()
    assert.deepEqual(failures, [])
    assert.equal((await findJob(store.pool, part.job))?.state, 'completed')
    assert.equal((await findFile(store.pool, part.id))?.parts[0]?.edition, 1)
  })

  for (const [what, meanwhile, told] of [
    ['is told as lost when its lines come out otherwise', async () => {}, ['export-failed', 'files-lost']],
    ['is not told as lost when its job was deleted meanwhile', () => deleteJob(store.pool, part.job), []],
  ] as const) {
    it(what, async () => {
      await store.pool.query('update part set crc = crc + 1 where id = $1', [part.id])
      const events: string[] = []
      const create = async (path: string) => {
        await meanwhile()
        return files.create(path)
      }
      const context = {
        pool: store.pool,
        files: { ...files, create },
        giveWay: () => undefined,
        tell: (event: string) => void events.push(event),
        meter: noMeter,
      }
      const held = (await claimPartition(store.pool, part.job, part.partition, worker))!
      await runPartition(context, producer.enqueue, held, async (_, error) => assert.fail(String(error)))
      assert.deepEqual(events, told)
    })
  }
})
