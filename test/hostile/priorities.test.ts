import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { after, before, test } from 'node:test'
import { ownBodyBytesMax } from '../../src/http/request-threads/hand-over.ts'
import { niceness } from '../../src/priority/thread-priority.ts'
import { TestServer } from '../server.ts'

const skip = process.platform === 'linux' ? false : 'SKIPPED: only Linux has priorities for threads'

let server: TestServer
before(async () => {
  server = await TestServer.start(['--workers', '1'])
  await server.addTenant('clinic')
  const authorization = `Bearer ${await server.token(await server.addClient('clinic'))}`
  // Another thread carries it out, and is there afterwards.
  const body = `{"resourceType":"Basic","id":"b"}${' '.repeat(ownBodyBytesMax)}`
  const headers = { authorization, 'content-type': 'application/fhir+json' }
  const answer = await fetch(`${server.base('clinic')}/Basic/b`, { method: 'PUT', headers, body })
  assert.equal(answer.status, 201)
})
after(() => server.stop())

/** The priorities of the program's own threads; what V8 and Node have beside them is called otherwise. */
function threadPriorities(): number[] {
  const tasks = `/proc/${server.pid}/task`
  const names = readdirSync(tasks).filter(
    (thread) =>
      thread === `${server.pid}` || readFileSync(`${tasks}/${thread}/comm`, 'utf8').startsWith('WorkerThread'),
  )
  return names.map((thread) => getPriority(Number(thread))).sort((a, b) => a - b)
}

test('exports go after who is answered at once, and other requests after exports', { skip }, () => {
  const own = getPriority()
  assert.deepEqual(threadPriorities(), [own, own + niceness.engine, own + niceness.request])
})

test('of the processes of an embedded database those that work for exports and other threads go after the others', {
  skip,
}, async () => {
  const sql = `select pid from pg_stat_activity where backend_type = 'client backend'`
  const { rows } = await server.pool.query<{ pid: number }>(sql)
  const found = new Set(rows.map(({ pid }) => getPriority(pid)))
  const own = getPriority()
  assert.deepEqual([...found].sort(), [own, own + niceness.backend])
})
