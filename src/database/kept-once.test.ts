import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { jobPatients, jobWarnings } from '../jobs/job.ts'
import { listJobs } from '../jobs/job-summary.ts'
import { claimPartition } from '../jobs/partition.ts'
import { openStore, prepared } from './embedded/embedded.fixture.ts'
import { migrate } from './migrate.ts'

const own = fileURLToPath(new URL('./migrations/', import.meta.url))
const id = '9d1f1a52-0f2b-4a56-9c36-3f1f4b6f7a10'

test('migration 017: jobs from before keep their patients, warnings and owners', async (t) => {
  const { pool } = await openStore(t, await prepared(t))
  const before = await mkdtemp(join(tmpdir(), 'millrace-migrations-'))
  t.after(() => rm(before, { recursive: true }))
  for (const name of (await readdir(own)).filter((file) => file.endsWith('.sql') && file < '017'))
    await copyFile(join(own, name), join(before, name))
  await migrate(pool, before)
  const warnings = [{ severity: 'warning', code: 'not-found', text: 'Zoë is not known.' }]
  await pool.query(
    `insert into job (id, tenant, client, state, request, patients, url, transaction_time)
     values ($1, 't', 'c', 'running', $2, '{a,b.c}', '', now())`,
    [id, { base: 'b', filters: {}, warnings }],
  )
  const insert = `insert into partition (job, number, kind, owners, state, planned) values ($1, $2, 'owners', $3, 'waiting', 1)`
  const owners = [['a', 'b.c'], [], ['']]
  for (const [number, list] of owners.entries()) await pool.query(insert, [id, number, list])
  await migrate(pool)
  assert.deepEqual(await jobPatients(pool, id), ['a', 'b.c'])
  assert.deepEqual(await jobWarnings(pool, id), warnings)
  assert.equal((await listJobs(pool, { count: 1 }))[0]?.patients, 2)
  for (const [number, list] of owners.entries()) {
    const claimed = await claimPartition(pool, id, number, 7)
    assert.deepEqual([claimed?.owners, claimed?.tries], [list, 1])
  }
})
