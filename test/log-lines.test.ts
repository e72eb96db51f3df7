import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { TestServer } from './server.ts'

let server: TestServer

before(async () => {
  server = await TestServer.start(['--workers', '1'])
})
after(() => server.stop())

/** Waits until the log has a line, which may be a moment later than what it tells. */
async function logged(pattern: RegExp): Promise<void> {
  while (!pattern.test(server.log)) await pause(20)
}

const ask = () => fetch(`${server.url}/livez`)

test('the log tells the start, with what runs where, each answer, and the end with its reason', async () => {
  await logged(/"msg":"started"/)
  const started = JSON.parse(server.log.split('\n').find((line) => line.includes('"msg":"started"'))!)
  assert.deepEqual(
    [started.url, started.workers, started.store, started.node, 'metrics' in started],
    [server.url, 1, 'embedded', process.versions.node, false],
  )
  await ask()
  await logged(/"route":"\/livez".*"msg":"answered"/)
  await server.kill('SIGTERM')
  assert.match(server.log, /"signal":"SIGTERM","msg":"stopping"\}\n(.*\n)*.*"ms":\d+,"msg":"stopped"\}\n/)
})

test('a start that changes the schema tells what it has done', async () => {
  server.log = ''
  await server.pool.query(`delete from migration where name = '021-traces-of-jobs'`)
  await server.pool.query('alter table job drop column traceparent')
  await server.spawn(['--workers', '1'])
  await logged(/"migrations":\["021-traces-of-jobs"\],"msg":"schema migrated"/)
  await server.kill('SIGTERM')
})

test('with --no-access-log and as text the rest is there, and no line for an answer', async () => {
  server.log = ''
  await server.spawn(['--workers', '1', '--no-access-log', '--log-format', 'text'])
  await ask()
  await server.kill('SIGTERM')
  assert.match(
    server.log,
    /^\d\d:\d\d:\d\d\.\d{3} started version=\S+ node=\S+ url=http:\S+ workers=1 store=embedded ms=\d+$/m,
  )
  assert.match(server.log, /^\S+ stopping signal=SIGTERM$/m)
  assert.doesNotMatch(server.log, /answered/)
})

test('with --log-level warn nothing is told that is as it should be', async () => {
  server.log = ''
  await server.spawn(['--workers', '1', '--log-level', 'warn'])
  await ask()
  await server.kill('SIGTERM')
  assert.equal(server.log, '')
})
