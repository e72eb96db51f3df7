import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from 'pg'
import { openTestStore } from '../database/store.fixture.ts'
import { transaction } from '../database/transaction.ts'
import { diskStore } from '../files/disk-store.ts'
import type { FileStore } from '../files/file-store.ts'
import { acceptJob, findJob, packJob } from '../jobs/job.ts'
import { openProducer } from '../jobs/queue.ts'
import { draftOf } from '../records/draft.ts'
import { storeDrafts } from '../records/load/store-drafts.ts'
import { startEngine } from './engine.ts'

/** How long no connection is to be had: longer than the engine needs to fail at giving its partition back. */
const outageMs = 1_000
const finishMsMax = 300_000

test('a partition that fails while no connection is to be had is taken up again, and its job ends', async () => {
  const store = await openTestStore()
  try {
    const draft = draftOf('{"resourceType":"Patient","id":"p"}', [])
    assert.ok('text' in draft)
    await storeDrafts(store.pool, 'clinic', [draft], false, () => {})

    const producer = await openProducer(store.pool, () => {})
    const outage = faultyPool(store.pool)
    const files = failingOnce(diskStore(join(store.directory, 'files')), outage.begin)
    const { connection } = store
    const engine = await startEngine({ pool: outage.pool, connection, files, concurrency: 1, log: () => {} })

    const id = randomUUID()
    const request = {
      patients: ['p'],
      types: ['Patient'] as const,
      filters: {},
      base: '',
      provenance: 'relevant' as const,
    }
    const job = { id, tenant: 'clinic', client: 'c', url: '', request: { ...request, lenient: false, warnings: [] } }
    await transaction(store.pool, async (client) => acceptJob(client, producer.enqueue, await packJob(job)))
    const state = await finalState(store.pool, id)

    await engine.stop()
    await producer.stop()
    assert.ok(outage.begun(), 'the fault was there')
    assert.equal(state, 'completed')
  } finally {
    await store.close()
  }
})

/** A store whose first file cannot be created. */
function failingOnce(store: FileStore, onFailure: () => void): FileStore {
  let failed = false
  return {
    ...store,
    create: (path) => {
      if (failed) return store.create(path)
      failed = true
      onFailure()
      return Promise.reject(new Error('the disk is not there'))
    },
  }
}

/** The pool, which after `begin` has no connection for a while. */
function faultyPool(pool: Pool) {
  let until = 0
  const refuse = () => performance.now() < until
  const faulty = new Proxy(pool, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown
      if (typeof member !== 'function') return member
      if (name !== 'connect' && name !== 'query') return member.bind(target)
      return (...given: unknown[]) =>
        refuse() ? Promise.reject(new Error('no connection')) : member.apply(target, given)
    },
  })
  const begin = () => {
    until = performance.now() + outageMs
  }
  return { pool: faulty, begin, begun: () => until > 0 }
}

async function finalState(pool: Pool, id: string): Promise<string | undefined> {
  const begun = performance.now()
  for (;;) {
    const state = (await findJob(pool, id))?.state
    if (state === 'completed' || state === 'failed' || performance.now() - begun > finishMsMax) return state
    await pause(50)
  }
}
