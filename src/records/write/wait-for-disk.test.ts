import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestStore } from '../../database/store.fixture.ts'
import { draftOf } from '../draft.ts'
import { storeDrafts } from '../load/store-drafts.ts'

test('a load that has ended will survive a crash: the log is on disk up to its last record', async () => {
  const { pool, close } = await openTestStore()
  try {
    // Without help the log would reach the disk only after this time.
    await pool.query(`alter system set wal_writer_delay = '10s'`)
    // Nobody else writes to it meanwhile.
    await pool.query('alter system set autovacuum = off')
    await pool.query('select pg_reload_conf()')
    const draft = draftOf('{"resourceType":"Patient","id":"p"}', [])
    assert.ok('text' in draft)
    const stored = await storeDrafts(pool, 'tenant', [draft], false, () => {})
    const { rows } = await pool.query(`
      select pg_current_wal_flush_lsn() >= written.lsn as durable
      from (select pg_current_wal_insert_lsn() as lsn) written`)
    assert.equal(stored.created, 1)
    assert.equal(rows[0].durable, true)
  } finally {
    await close()
  }
})
