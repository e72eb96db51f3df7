import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openSite } from '../campaign/site.ts'

const listeners = `select from pg_stat_activity where query like 'LISTEN "%' and state = 'idle'`
/** Where nobody tries again, nobody ever listens. */
const looksMax = 600
const pauseMs = 100

test('a start whose connection breaks where it would listen tries again, and is woken and not late', async (t) => {
  const site = await openSite('external', 1)
  t.after(() => site.close())
  const server = site.servers[0]!
  await server.kill('SIGTERM')
  const broken = site.link!.breakAt('LISTEN "')
  await server.start()
  await broken
  const count = async () => (await site.pool.query(listeners)).rowCount
  for (let look = 0; look < looksMax && (await count()) === 0; look++) await pause(pauseMs)
  assert.equal(await count(), 1)
})
