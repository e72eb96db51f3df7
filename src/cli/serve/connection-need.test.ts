import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestStore } from '../../database/store.fixture.ts'
import { fewConnections, serverConnectionsMax, workerConnectionsMax } from './connection-need.ts'

test('a database tells whether it allows as many connections as a server may take', async (t) => {
  const store = await openTestStore()
  t.after(() => store.close())
  const client = await store.pool.connect()
  await client.query('begin')
  try {
    assert.equal(await fewConnections(client, 1), undefined, 'the embedded one')
    const needed = serverConnectionsMax + workerConnectionsMax
    for (const allowed of [needed - 1, needed, needed + 1]) {
      await client.query(
        `do $$ begin execute format('alter role %I connection limit ${allowed}', current_user); end $$`,
      )
      const expected = allowed < needed ? { allowed, needed } : undefined
      assert.deepEqual(await fewConnections(client, 1), expected)
      assert.deepEqual(await fewConnections(client, 2), { allowed, needed: needed + workerConnectionsMax })
    }
  } finally {
    await client.query('rollback')
    client.release()
  }
})
