import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { open, prepared, query } from '../embedded/embedded.fixture.ts'
import { becomeSoleServer } from './sole-server.ts'

const refused = { name: 'Failure', message: /Another Millrace server uses/ }

test('a second server is refused, also at the moment at which the database has forgotten the first', async (t) => {
  const directory = await prepared(t)
  const { connection } = await open(t, directory)
  const first = await becomeSoleServer(connection, directory)
  await assert.rejects(becomeSoleServer(connection, directory), refused)
  await query(connection, `select pg_terminate_backend(pid) from pg_locks where classid = 7063`)
  await assert.rejects(becomeSoleServer(connection, directory), refused)
  await first.release()
  const second = await becomeSoleServer(connection, directory)
  await second.release()
})

test('a server that is let go while it takes its lost lock up again keeps it from nobody', async (t) => {
  const directory = await prepared(t)
  const { connection } = await open(t, directory)
  const first = await becomeSoleServer(connection, directory)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await query(connection, `select pg_terminate_backend(pid) from pg_locks where classid = 7063`)
  await first.release()
  t.mock.timers.tick(10_000)
  t.mock.timers.reset()
  const { rows } = await query(connection, `select count(*)::int as held from pg_locks where classid = 7063`)
  assert.deepEqual(rows, [{ held: 0 }])
  const second = await becomeSoleServer(connection, directory)
  await second.release()
})

test('what a killed server left at its socket blocks nobody', async (t) => {
  const directory = await prepared(t)
  const { connection } = await open(t, directory)
  const path = join(connection.host, 'serve')
  const killed = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  assert.throws(() => execFileSync(process.execPath, ['-e', killed, path]))
  assert.ok(existsSync(path))
  const sole = await becomeSoleServer(connection, directory)
  await assert.rejects(becomeSoleServer(connection, directory), refused)
  await sole.release()
  assert.equal(existsSync(path), false)
})
