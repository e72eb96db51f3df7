import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { requestBytesMax } from '../../protocol/limits.ts'
import { profiles } from '../../protocol/profile.ts'
import { TooManyBytes } from '../bytes/bytes-in-flight.ts'
import { FairQueue } from '../fair-queue.ts'
import { costOf } from '../rates.ts'
import { writeBounds } from '../records/write-bounds.ts'
import type { HandedAnswer, HandedRequest } from './handed-request.ts'
import { bytesAtWork, RequestThreads, Stopping, threadBounds } from './request-thread-pool.ts'

let store: TestStore
before(async () => {
  store = await openTestStore()
})
after(() => store.close())

const put = (id: string, x: string, tenant = 'clinic'): HandedRequest => ({
  id: 'request',
  method: 'PUT',
  url: `/r4/${tenant}/Basic/${id}`,
  traceparent: undefined,
  rawHeaders: ['Content-Type', 'application/fhir+json'],
  address: '192.0.2.1',
  caller: { tenant, client: 'a', scopes: ['system/*.write'] },
  profile: profiles.millennium,
  publicUrl: 'http://millrace.test',
  writes: true,
  body: Buffer.from(`{"resourceType":"Basic","id":"${id}","x":${x}}`),
})

const list = (item: string, count: number): string => `[${Array<string>(count).fill(item).join(',')}]`
const textOf = ({ payload }: HandedAnswer): string => Buffer.from(payload).toString()
const ignore = () => {}
const here = { log: ignore, room: { take: ignore } }

function open(t: { after: (end: () => Promise<void>) => void }, queue = new FairQueue(writeBounds), heapMb?: number) {
  const threads = new RequestThreads(
    {
      connection: store.connection,
      ownDatabase: true,
      files: { kind: 'disk', directory: 'nowhere', floor: { directories: [], bytes: 0 } },
    },
    { writes: queue, note: ignore, log: ignore },
    heapMb,
  )
  t.after(() => threads.stop())
  return threads
}

test('while a body is checked the answering thread goes on, and the body is not copied', async (t) => {
  const threads = open(t)
  await threads.carry(put('first', '1'), here)
  const request = put('large', list('{"a":1}', 120_000))
  let turns = 0
  let done = false
  const carried = threads.carry(request, here).finally(() => {
    done = true
  })
  while (!done) {
    await new Promise(setImmediate)
    turns++
  }
  assert.equal((await carried).status, 201)
  assert.equal(request.body!.length, 0)
  assert.ok(turns > 100, `${turns}`)
})

test('a body that ends its thread fails its request alone; the next one is carried out, and its neighbour was', async (t) => {
  const queue = new FairQueue(writeBounds)
  const threads = open(t, queue, 40)
  const writing = Promise.withResolvers<void>()
  const other = queue.run({ tenant: 'practice', client: 'c', keys: ['Basic/held'] }, () => writing.promise)
  const neighbour = threads.carry(put('held', '2', 'practice'), here)
  const deadly = { ...put('deadly', '1'), method: 'POST', url: '/r4/clinic/' }
  const coding = '{"system":"http://example.org/s","code":"c"}'
  const entry = `{"request":{"method":"POST","url":"Basic"},"resource":{"resourceType":"Basic","identifier":${list(coding, 9)},"x":"${'x'.repeat(900)}"}}`
  const body = Buffer.from(`{"resourceType":"Bundle","type":"batch","entry":${list(entry, 10_000)}}`)
  await assert.rejects(threads.carry({ ...deadly, body }, here), ({ cause }: Error) => {
    assert.equal((cause as NodeJS.ErrnoException).code, 'ERR_WORKER_OUT_OF_MEMORY')
    return true
  })
  assert.equal((await threads.carry(put('next', '1'), here)).status, 201)
  writing.resolve()
  await other
  assert.equal((await neighbour).status, 201)
})

/** Until a transaction waits for what another one holds. */
async function someoneWaits(): Promise<void> {
  const sql = `select from pg_stat_activity where wait_event_type = 'Lock'`
  while ((await store.pool.query(sql)).rowCount === 0) await new Promise(setImmediate)
}

test('a thread that ends in the middle of a write gives its turn to the next', async (t) => {
  const queue = new FairQueue(writeBounds)
  const threads = open(t, queue)
  assert.equal((await threads.carry(put('torn', '1'), here)).status, 201)
  const holder = await store.pool.connect()
  await holder.query('begin')
  await holder.query(`select from record where id = 'torn' for update`)
  const carried = threads.carry(put('torn', '2'), here)
  const refused = assert.rejects(carried, /has ended/)
  await someoneWaits()
  await threads.stop()
  await refused
  await holder.query('rollback')
  holder.release()
  await queue.run({ tenant: 'clinic', client: 'b', keys: ['Basic/torn'] }, async () => {})
})

test('the path is taken as it came, and what the caller may do is what its scopes say', async (t) => {
  const threads = open(t)
  const bent = await threads.carry({ ...put('x', '1'), url: '/r4/clinic/Basic/%2e%2e' }, here)
  assert.match(textOf(bent), /The id of the resource must be the one in the URL/)
  const request = put('x', '1')
  const answer = await threads.carry({ ...request, caller: { ...request.caller, scopes: ['system/Basic.rs'] } }, here)
  assert.equal(answer.status, 403)
  assert.match(String(answer.headers['www-authenticate']), /realm="millrace.test"/)
  assert.match(textOf(answer), /system\/Basic.write/)
})

test('whoever waits when the server stops is told so, and no thread begins anew', async (t) => {
  const threads = open(t)
  await threads.carry(put('before', '1'), here)
  const asked = Array.from({ length: threadBounds.runningOfClientMax + 5 }, (_, at) =>
    threads.carry(put(`stopped${at}`, list('{"a":1}', 50_000)), here).then(
      () => 'done',
      (error: Error) => error.constructor,
    ),
  )
  await threads.stop()
  const waiting = (await Promise.all(asked)).slice(threadBounds.runningOfClientMax)
  assert.deepEqual(waiting, Array(5).fill(Stopping))
})

test('two short Bundles of many entries have room beside each other, three have not; beside the longest body there is room for a small one', () => {
  const fit = (...bodies: readonly number[]) =>
    bodies.reduce((sum, bytes) => sum + bytesAtWork(bytes), 0) <= threadBounds.runningBytesMax!
  const dense = 512 * 1024
  assert.ok(fit(dense, dense))
  assert.ok(fit(dense, dense + 1, dense - 1))
  assert.ok(!fit(dense, dense, dense))
  assert.ok(!fit(dense, dense, dense + 1))
  assert.ok(fit(requestBytesMax - dense + 1, dense - 1))
  assert.ok(!fit(requestBytesMax - dense, dense + 1))
  assert.ok(fit(requestBytesMax))
})

test('a look into the audit trail counts as what it brings', async (t) => {
  const threads = open(t)
  const caller = { tenant: 'clinic', client: 'a', scopes: ['system/AuditEvent.read'] }
  const look = {
    ...put('', ''),
    method: 'GET',
    url: '/r4/clinic/AuditEvent?_count=500',
    caller,
    writes: false,
    body: undefined,
  }
  const looks: HandedAnswer[] = []
  for (let time = 0; time < 21; time++) looks.push(await threads.carry(look, here))
  const brought = looks.map((answer) => (JSON.parse(textOf(answer)) as { entry: unknown[] }).entry.length)
  assert.ok(brought.at(-1)! > 20)
  assert.deepEqual(
    looks.map(({ charged }) => charged),
    brought.map((entries) => costOf({ entries })),
  )
})

test('what is read takes room where its request is, and is refused where there is none', async (t) => {
  const threads = open(t)
  await threads.carry(put('read', '1'), here)
  const asked: number[] = []
  const bundle = {
    ...put('', ''),
    method: 'POST',
    url: '/r4/clinic',
    caller: { tenant: 'clinic', client: 'a', scopes: ['system/*.read', 'system/*.write'] },
    body: Buffer.from(
      JSON.stringify({
        resourceType: 'Bundle',
        type: 'batch',
        entry: [{ request: { method: 'GET', url: 'Basic/read' } }, { request: { method: 'GET', url: 'Basic/read' } }],
      }),
    ),
  }
  const take = (bytes: number) => {
    if (asked.push(bytes) === 2) throw new TooManyBytes('client', 1024 * 1024)
  }
  const answer = JSON.parse(textOf(await threads.carry(bundle, { ...here, room: { take } })))
  const statuses = answer.entry.map(({ response }: { response: { status: string } }) => response.status)
  assert.deepEqual([statuses, asked.length, asked[0]! > 0], [['200', '429'], 2, true])
})
