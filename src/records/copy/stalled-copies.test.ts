import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { copyStillMsMax, StalledCopies } from './stalled-copies.ts'

const pollMs = 20
/** Bounds of a session, as short as a busy machine bears between two statements; and longer than they are. */
const shortMs = 2_000
const olderMs = 3_000

describe('a COPY into the store whose sender stands still', () => {
  let store: TestStore

  before(async () => {
    store = await openTestStore({ poolSize: 3 })
  })
  after(() => store.close())

  /** A session that holds the clock's lock and has sent a part of a COPY, for longer than its bounds on statements and idling. */
  async function halfCopied(boundMs = shortMs) {
    const options = `-c search_path=millrace -c statement_timeout=${boundMs} -c idle_in_transaction_session_timeout=${shortMs}`
    const client = new pg.Client({ ...store.connection, options })
    client.on('error', () => {})
    await client.connect()
    await client.query('begin')
    await client.query('select stamp_write()')
    const target = client.query(copyFrom('copy setting (name,value) from stdin (format text)'))
    target.on('error', () => {})
    target.write('a\tb\n')
    const waiting = `select from pg_stat_activity where query like 'copy setting%' and wait_event = 'ClientRead'
      and query_start < clock_timestamp() - interval '${olderMs} ms'`
    while ((await store.pool.query(waiting)).rowCount === 0) await pause(pollMs)
    return { client, target }
  }

  const cutNow = () =>
    store.pool.query(`set lock_timeout = 100; select cut(); reset lock_timeout`).then(
      () => true,
      () => false,
    )

  /** Looks, after so long. */
  function looking() {
    let now = 0
    const stalled = new StalledCopies(store.pool, copyStillMsMax, () => now)
    return (ms: number) => {
      now += ms
      return stalled.look()
    }
  }

  it('holds the clock whatever the bounds of its session, until it is ended', async () => {
    const { client } = await halfCopied()
    const lookAfter = looking()
    assert.equal(await lookAfter(0), 0, 'it is seen for the first time')
    assert.equal(await lookAfter(copyStillMsMax - 1), 0)
    assert.equal(await cutNow(), false)
    const end = new Promise((resolve) => client.once('end', resolve))
    assert.equal(await lookAfter(1), 1)
    await end
    assert.equal(await cutNow(), true)
    await client.end().catch(() => {})
  })

  it('is not ended while it moves, however old it is and however slowly', async () => {
    // Whose bound is passed is ended by its next byte.
    const { client, target } = await halfCopied(60_000)
    const lookAfter = looking()
    const bytes = async () =>
      (await store.pool.query('select sum(bytes_processed) from pg_stat_progress_copy')).rows[0].sum
    for (let round = 0; round < 3; round++) {
      assert.equal(await lookAfter(copyStillMsMax), 0)
      const before = await bytes()
      target.write(`moves${round}\tb\n`)
      while ((await bytes()) === before) await pause(pollMs)
    }
    assert.equal(await lookAfter(copyStillMsMax), 0)
    assert.equal(await lookAfter(copyStillMsMax), 1, 'then it stands still')
    await client.end().catch(() => {})
  })

  it('is nobody who does something else: a transaction that is idle has its own bound', async () => {
    const client = await store.pool.connect()
    await client.query('begin')
    await client.query('select stamp_write()')
    const lookAfter = looking()
    for (let round = 0; round < 3; round++) assert.equal(await lookAfter(copyStillMsMax), 0)
    await client.query('rollback')
    client.release()
  })
})
