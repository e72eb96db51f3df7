import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Pool } from 'pg'
import { openStore, prepared } from '../../database/embedded/embedded.fixture.ts'
import { migrate } from '../../database/migrate.ts'
import { writeSetting } from '../../database/setting.ts'
import { outdatedTenants } from './outdated-tenants.ts'

const own = fileURLToPath(new URL('../../database/migrations/', import.meta.url))

/** A store as the version before migration 022 left it. */
async function formerStore(t: TestContext): Promise<Pool> {
  const { pool } = await openStore(t, await prepared(t))
  const before = await mkdtemp(join(tmpdir(), 'millrace-migrations-'))
  t.after(() => rm(before, { recursive: true }))
  for (const name of (await readdir(own)).filter((file) => file.endsWith('.sql') && file < '022'))
    await copyFile(join(own, name), join(before, name))
  await migrate(pool, before)
  return pool
}

const recordSql = `
  insert into record (tenant, owner, type, id, version, written, updated, deleted, lead, shared, refs, targets, digest, body)
  select $1, '', 'Claim', 'c' || n, 1, now(), now(), false, true, false, '', '', '', '{}' from generate_series(1, 3) as n`

test('migration 022: tenants with records are outdated, with the URL that the server had', async (t) => {
  const pool = await formerStore(t)
  for (const tenant of ['b', 'a']) await pool.query(recordSql, [tenant])
  await writeSetting(pool, 'public_url', 'https://old.example')
  await migrate(pool)
  assert.deepEqual(await outdatedTenants(pool), [
    { tenant: 'a', publicUrl: 'https://old.example' },
    { tenant: 'b', publicUrl: 'https://old.example' },
  ])
})

test('migration 022: a store without records has nothing to be put under rules', async (t) => {
  const pool = await formerStore(t)
  await migrate(pool)
  assert.deepEqual(await outdatedTenants(pool), [])
})
