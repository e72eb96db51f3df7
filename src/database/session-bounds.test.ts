import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'pg'
import { openDatabase } from './connection.ts'
import { answeringBounds, type SessionBounds, sessionBounds } from './session-bounds.ts'
import { openTestStore } from './store.fixture.ts'

/** A socket in the file system has no `tcp_user_timeout` to show, but the session knows what it was told. */
const settingsSql = `
  select name, coalesce(nullif(reset_val, ''), setting)::int as value from pg_settings where name in
    ('idle_in_transaction_session_timeout', 'lock_timeout', 'statement_timeout', 'tcp_user_timeout')`

async function boundsOf(pool: Pool): Promise<SessionBounds> {
  const { rows } = await pool.query<{ name: string; value: number }>(settingsSql)
  const values = new Map(rows.map(({ name, value }) => [name, value]))
  return {
    idleInTransactionMsMax: values.get('idle_in_transaction_session_timeout')!,
    lockMsMax: values.get('lock_timeout')!,
    statementMsMax: values.get('statement_timeout')!,
    unacknowledgedMsMax: values.get('tcp_user_timeout')!,
  }
}

test('sessions that answer requests are ended sooner than those that work, whose readers may pause', async (t) => {
  const store = await openTestStore()
  t.after(() => store.close())
  const embedded = { kind: 'embedded', directory: store.directory } as const
  const answering = await openDatabase(embedded, { log: () => {}, answering: true })
  t.after(() => answering.close())
  assert.deepEqual(await boundsOf(store.pool), sessionBounds)
  assert.deepEqual(await boundsOf(answering.pool), answeringBounds)
  assert.ok(answeringBounds.unacknowledgedMsMax < sessionBounds.unacknowledgedMsMax)
})
