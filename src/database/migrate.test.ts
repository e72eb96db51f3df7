import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openPool } from './connection.ts'
import { openStore, prepared } from './embedded/embedded.fixture.ts'
import { migrate } from './migrate.ts'

const database = async (t: TestContext) => openStore(t, await prepared(t))

async function migrations(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-migrations-'))
  t.after(() => rm(directory, { recursive: true }))
  for (const [name, sql] of Object.entries(files)) await writeFile(join(directory, name), sql)
  return directory
}

const first = { '001-tables.sql': 'create table one (n int); create table two (n int);' }
const second = { ...first, '002-rows.sql': 'insert into one values (1);', 'notes.md': 'not a migration' }

test('pending migrations are applied in order, once, in the schema millrace', async (t) => {
  const { pool } = await database(t)
  assert.deepEqual(await migrate(pool, await migrations(t, first)), { applied: ['001-tables'] })
  assert.deepEqual(await migrate(pool, await migrations(t, second)), { applied: ['002-rows'] })
  assert.deepEqual(await migrate(pool, await migrations(t, second)), { applied: [] })
  assert.deepEqual((await pool.query('select n from millrace.one')).rows, [{ n: 1 }])
  const { rows } = await pool.query('select name, applied <= now() as past from migration order by name')
  assert.deepEqual(rows, [
    { name: '001-tables', past: true },
    { name: '002-rows', past: true },
  ])
})

test('programs that start at once migrate once', async (t) => {
  const { pool, connection } = await database(t)
  const directory = await migrations(t, second)
  const pools = [pool, ...Array.from({ length: 3 }, () => openPool(connection, 1))]
  const results = await Promise.all(pools.map((each) => migrate(each, directory)))
  assert.deepEqual(results.flatMap(({ applied }) => applied).sort(), ['001-tables', '002-rows'])
  for (const each of pools.slice(1)) await each.end()
})

test('a migration that fails leaves no trace of itself, and can be applied when mended', async (t) => {
  const { pool } = await database(t)
  const broken = { ...first, '002-broken.sql': 'insert into one values (1); insert into nowhere values (1);' }
  await assert.rejects(migrate(pool, await migrations(t, broken)), /Migration 002-broken failed: .*"nowhere"/)
  assert.equal((await pool.query('select n from one')).rowCount, 0)
  const mended = { ...first, '002-broken.sql': 'insert into one values (1);' }
  assert.deepEqual(await migrate(pool, await migrations(t, mended)), { applied: ['002-broken'] })
})

test('a database with migrations that the program does not know is refused and left alone', async (t) => {
  const { pool } = await database(t)
  await migrate(pool, await migrations(t, second))
  const older = await migrations(t, { ...first, '003-other.sql': 'create table three ();' })
  await assert.rejects(migrate(pool, older), { name: 'Failure', message: /made by a newer Millrace.*002-rows/ })
  assert.equal((await pool.query(`select to_regclass('three') as found`)).rows[0].found, null)
})

test('a user who may not make the schema is told so', async (t) => {
  const { pool, connection } = await database(t)
  await pool.query('create role visitor login')
  const visitor = openPool({ ...connection, user: 'visitor' }, 1)
  await assert.rejects(migrate(visitor, await migrations(t, first)), { name: 'Failure', message: /may not make/ })
  await visitor.end()
})

test('the program’s own migrations apply to an empty database', async (t) => {
  const { pool } = await database(t)
  assert.notDeepEqual((await migrate(pool)).applied, [])
  assert.deepEqual(await migrate(pool), { applied: [] })
})
