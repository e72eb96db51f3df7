import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { open, prepared } from './embedded/embedded.fixture.ts'
import { openPool } from './pool.ts'

const socketName = '.s.PGSQL.5432'
const silent = { message: 'The database does not answer' }

/** A network between us and a database that can swallow everything. */
async function network(t: TestContext, host: string) {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-net-'))
  const sockets = new Set<Socket>()
  let cut = false
  const server = createServer((near) => {
    const far = connect(join(host, socketName))
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    near.on('data', (bytes) => cut || far.write(bytes)).on('close', () => far.destroy())
    far.on('data', (bytes) => cut || near.write(bytes)).on('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(join(directory, socketName), resolve))
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await rm(directory, { recursive: true, force: true })
  })
  return {
    directory,
    cut: (yes: boolean) => {
      cut = yes
    },
  }
}

test('nobody waits for a database that says nothing, and it is used again when it is back', async (t) => {
  const { connection } = await open(t, await prepared(t))
  const { directory, cut } = await network(t, connection.host)
  const pool = openPool({ ...connection, host: directory, ssl: false }, 1, { silenceMsMax: 3_000 })
  t.after(() => pool.end())
  await pool.query('select')
  cut(true)
  const running = assert.rejects(pool.query('select 1'), /Connection terminated/)
  const queued = assert.rejects(pool.query('select 2'), silent)
  await Promise.all([running, queued])
  await assert.rejects(pool.query('select 3'), silent)
  cut(false)
  const back = async () =>
    pool.query('select').then(
      () => true,
      () => false,
    )
  while (!(await back())) await pause(50)
})

test('a connection that is in use for too long is broken off, and the next one is not', async (t) => {
  const { connection } = await open(t, await prepared(t))
  const pool = openPool({ ...connection, ssl: false }, 1, { silenceMsMax: 20_000, heldMsMax: 3_000 })
  t.after(() => pool.end())
  await assert.rejects(pool.query('select pg_sleep(60)'), /Connection terminated/)
  assert.equal((await pool.query('select 1')).rowCount, 1)
})

test('a pool that is ended leaves no session behind', async (t) => {
  const { connection } = await open(t, await prepared(t))
  const watching = openPool({ ...connection, ssl: false }, 1)
  t.after(() => watching.end())
  const pool = openPool({ ...connection, ssl: false, application_name: 'ended' }, 1)
  await pool.query('select')
  await pool.end()
  let sessions = 1
  while (sessions > 0) {
    const { rows } = await watching.query(`select from pg_stat_activity where application_name = 'ended'`)
    sessions = rows.length
  }
})

test('whoever waits in vain has waited too', async () => {
  const pool = openPool({ host: '/nowhere' }, 1)
  const events: EventEmitter = pool
  let waits = 0
  events.on('waited', () => {
    waits += 1
  })
  await assert.rejects(pool.connect(), { code: 'ENOENT' })
  assert.equal(waits, 1)
  await pool.end()
})
