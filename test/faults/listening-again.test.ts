import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSite } from '../campaign/site.ts'

const listeners = `select from pg_stat_activity where query like 'LISTEN "%' and state = 'idle'`

test('a start whose connection breaks where it would listen tries again, and is woken and not late', async (t) => {
  const site = await openSite('external', 1)
  t.after(() => site.close())
  const server = site.servers[0]!
  await server.kill('SIGTERM')
  const broken = site.link!.breakAt('LISTEN "')
  await server.start()
  await broken
  assert.equal((await site.pool.query(listeners)).rowCount, 1)
})
