import assert from 'node:assert/strict'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore, prepared } from './embedded/embedded.fixture.ts'
import { migrate } from './migrate.ts'

const own = fileURLToPath(new URL('./migrations/', import.meta.url))

test('migration 008: the filters of jobs from before become lists of one list', async (t) => {
  const { pool } = await openStore(t, await prepared(t))
  const before = await mkdtemp(join(tmpdir(), 'millrace-migrations-'))
  t.after(() => rm(before, { recursive: true }))
  await copyFile(join(own, '001-records-and-jobs.sql'), join(before, '001-records-and-jobs.sql'))
  await migrate(pool, before)
  const job = `insert into job (id, tenant, client, state, request, patients, url, transaction_time)
    values (gen_random_uuid(), 't', $1, 'running', $2, '{}', '', now())`
  const query = { type: 'Goal', criteria: [] }
  await pool.query(job, ['a', { base: 'b', filters: { Goal: [query, query] } }])
  await pool.query(job, ['b', { base: 'b', filters: {} }])
  await migrate(pool)
  const { rows } = await pool.query('select request from job order by client')
  assert.deepEqual(rows, [
    { request: { base: 'b', filters: { Goal: [[query, query]] } } },
    { request: { base: 'b', filters: {} } },
  ])
})
