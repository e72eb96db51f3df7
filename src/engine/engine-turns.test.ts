import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { transaction } from '../database/transaction.ts'
import { diskStore } from '../files/disk-store.ts'
import { acceptJob, findJob, packJob } from '../jobs/job.ts'
import { openProducer, type Producer } from '../jobs/queue.ts'
import { draftOf } from '../records/draft.ts'
import { storeDrafts } from '../records/load/store-drafts.ts'
import { startEngine } from './engine.ts'

let store: TestStore
let producer: Producer

before(async () => {
  store = await openTestStore()
  producer = await openProducer(store.pool, () => {})
  for (const tenant of ['big', 'small']) {
    const draft = draftOf('{"resourceType":"Patient","id":"p"}', [])
    assert.ok('text' in draft)
    await storeDrafts(store.pool, tenant, [draft], false, () => {})
  }
})
after(async () => {
  await producer.stop()
  await store.close()
})

async function accept(tenant: string): Promise<string> {
  const id = randomUUID()
  const effective = {
    patients: ['p'],
    types: ['Patient'] as const,
    filters: {},
    base: '',
    provenance: 'relevant' as const,
  }
  const request = { ...effective, lenient: false, warnings: [] }
  await transaction(store.pool, async (client) =>
    acceptJob(client, producer.enqueue, await packJob({ id, tenant, client: id, url: '', request })),
  )
  return id
}

const stateOf = async (id: string): Promise<string | undefined> => (await findJob(store.pool, id))?.state

/** Waits for what comes; the test runner ends a test for which it never does. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(20)
}

test('while a partition of one tenant takes long, another tenant is served to the end, and the first has no more of the engine', {
  timeout: 600_000,
}, async () => {
  const files = diskStore(join(store.directory, 'files'))
  const gate = Promise.withResolvers<void>()
  const begun = new Set<string>()
  const engine = await startEngine({
    pool: store.pool,
    connection: store.connection,
    files: {
      ...files,
      create: async (path) => {
        const [job = ''] = path.split('/')
        begun.add(job)
        if (job === first) await gate.promise
        return files.create(path)
      },
    },
    concurrency: 1,
    log: () => {},
  })
  const first = await accept('big')
  try {
    await until(() => begun.has(first))
    const others = [await accept('big'), await accept('big'), await accept('big')]
    const small = await accept('small')
    await until(async () => (await stateOf(small)) === 'completed')
    assert.deepEqual(
      others.filter((job) => begun.has(job)),
      [],
    )
    assert.notEqual(await stateOf(first), 'completed')
    gate.resolve()
    for (const job of [first, ...others]) await until(async () => (await stateOf(job)) === 'completed')
  } finally {
    gate.resolve()
    await engine.stop()
  }
})
