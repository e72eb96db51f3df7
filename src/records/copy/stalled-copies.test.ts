import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { copyStillMsMax, endStalledCopies } from './stalled-copies.ts'

const pollMs = 20
/** Longer than the bounds of the session that copies. */
const stillMs = 600

describe('a COPY into the store whose sender stands still', () => {
  let store: TestStore

  before(async () => {
    store = await openTestStore({ poolSize: 3 })
  })
  after(() => store.close())

  /** A session that holds the clock's lock and has sent a part of a COPY. Bounds on statements and idling are as short as can be. */
  async function halfCopied(): Promise<pg.Client> {
    const options = '-c search_path=millrace -c statement_timeout=300 -c idle_in_transaction_session_timeout=300'
    const client = new pg.Client({ ...store.connection, options })
    client.on('error', () => {})
    await client.connect()
    await client.query('begin')
    await client.query('select stamp_write()')
    const target = client.query(copyFrom('copy setting (name,value) from stdin (format text)'))
    target.on('error', () => {})
    target.write('a\tb\n')
    const waiting = `select from pg_stat_activity where query like 'copy setting%' and wait_event = 'ClientRead'
      and query_start < clock_timestamp() - interval '${stillMs} ms'`
    while ((await store.pool.query(waiting)).rowCount === 0) await pause(pollMs)
    return client
  }

  const cutNow = () =>
    store.pool.query(`set lock_timeout = 100; select cut(); reset lock_timeout`).then(
      () => true,
      () => false,
    )

  it('holds the clock whatever the bounds of its session, until it is ended', async () => {
    const client = await halfCopied()
    assert.equal(await endStalledCopies(store.pool, copyStillMsMax), 0, 'it has not stood still for long')
    assert.equal(await cutNow(), false)
    const end = new Promise((resolve) => client.once('end', resolve))
    assert.equal(await endStalledCopies(store.pool, stillMs), 1)
    await end
    assert.equal(await cutNow(), true)
    await client.end().catch(() => {})
  })

  it('is nobody who does something else: a transaction that is idle has its own bound', async () => {
    const client = await store.pool.connect()
    await client.query('begin')
    await client.query('select stamp_write()')
    assert.equal(await endStalledCopies(store.pool, 0), 0)
    await client.query('rollback')
    client.release()
  })
})
