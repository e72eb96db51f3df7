import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '../../database/connection.ts'
import { migrate } from '../../database/migrate.ts'
import { draftOf } from '../draft.ts'
import { storeDrafts } from '../load/store-drafts.ts'

test('a load that has ended will survive a crash: the log is on disk up to its last record', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-disk-'))
  const { pool, close } = await openDatabase({ kind: 'embedded', directory }, { log: () => {} })
  try {
    await migrate(pool)
    // Without help the log would reach the disk only after this time.
    await pool.query(`alter system set wal_writer_delay = '10s'`)
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
    await rm(directory, { recursive: true, force: true })
  }
})
