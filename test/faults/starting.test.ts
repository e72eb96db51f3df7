import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { TestServer } from '../server.ts'

const pollMs = 50

/** Waits until somebody waits for a lock, and tells the process of the database that does. */
async function waiting(pool: pg.Pool): Promise<number> {
  for (;;) {
    const { rows } = await pool.query(
      `select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    )
    if (rows[0]) return rows[0].pid
    await pause(pollMs)
  }
}

test('a start during which a process of the database is killed begins again and comes up', async (t) => {
  const server = await TestServer.start()
  t.after(() => server.stop())
  await server.kill('SIGTERM')
  const client = new pg.Client(server.database.connection)
  client.on('error', () => {})
  await client.connect()
  // The start asks for the store's id and waits.
  await client.query('set idle_in_transaction_session_timeout = 0')
  await client.query('begin; lock table setting in access exclusive mode')
  const started = server.spawn()
  process.kill(await waiting(server.pool), 'SIGKILL')
  await started
  assert.match(server.log, /the database went away during the start, which begins again/)
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200)
  await client.end().catch(() => {})
})
