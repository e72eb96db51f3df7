import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { Failure } from '../failure.ts'
import { errorCode, errorReason } from './error-code.ts'
import { underMigrationLock } from './migration-lock.ts'
import type { Queryable } from './queryable.ts'

/** Names of the migrations that a call applied, oldest first, without `.sql`. */
export interface Migrated {
  readonly applied: readonly string[]
}

const ownMigrations = fileURLToPath(new URL('./migrations/', import.meta.url))
const migrationFile = /^\d{3}-[a-z0-9-]+\.sql$/

const prepare = `
create schema if not exists millrace;
create table if not exists millrace.migration (
  name text primary key,
  applied timestamptz not null default now()
);`

/**
 * Brings the schema `millrace` up to date with the files `NNN-name.sql` of a directory, in order, each in a transaction.
 * Safe when several programs start at once. The pool's connections have `search_path=millrace`.
 * @throws Failure when the database has migrations that this program does not know, or its user may not make the schema.
 */
export async function migrate(pool: pg.Pool, directory: string = ownMigrations): Promise<Migrated> {
  const names = await migrationNames(directory)
  try {
    return await underMigrationLock(pool, async (client) => {
      await client.query(prepare)
      return { applied: await applyPending(client, directory, names) }
    })
  } catch (error) {
    throw errorCode(error) === '42501' ? forbidden(error) : error
  }
}

/** What of the schema is missing in a database, and what it has of a newer program. */
export async function migrationState(
  pool: Queryable,
): Promise<{ readonly missing: readonly string[]; readonly unknown: readonly string[] }> {
  const names = await migrationNames(ownMigrations)
  const { rows } = await pool.query<{ there: boolean }>(`select to_regclass('millrace.migration') is not null as there`)
  const done = rows[0]!.there ? await appliedNames(pool) : new Set<string>()
  return {
    missing: names.filter((name) => !done.has(name)),
    unknown: [...done].filter((name) => !names.includes(name)),
  }
}

async function migrationNames(directory: string): Promise<readonly string[]> {
  const files = await readdir(directory)
  return files
    .filter((file) => migrationFile.test(file))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort()
}

async function applyPending(client: pg.ClientBase, directory: string, names: readonly string[]): Promise<string[]> {
  const done = await appliedNames(client)
  const unknown = [...done].filter((name) => !names.includes(name))
  if (unknown.length > 0) throw madeByNewer(unknown)
  const applied: string[] = []
  for (const name of names) {
    if (done.has(name)) continue
    await apply(client, name, await readFile(`${directory}/${name}.sql`, 'utf8'))
    applied.push(name)
  }
  return applied
}

async function appliedNames(client: Queryable): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>('select name from millrace.migration order by name')
  return new Set(rows.map(({ name }) => name))
}

async function apply(client: pg.ClientBase, name: string, sql: string): Promise<void> {
  try {
    await client.query('begin')
    await client.query(sql)
    await client.query('insert into millrace.migration (name) values ($1)', [name])
    await client.query('commit')
  } catch (error) {
    if (errorCode(error) === '42501') throw error
    throw new Error(`Migration ${name} failed: ${errorReason(error)}`, { cause: error })
  }
}

function madeByNewer(unknown: readonly string[]): Failure {
  return new Failure(
    `The database was made by a newer Millrace (it has ${unknown.join(', ')}).`,
    'Use that version or a later one, or another database.',
  )
}

function forbidden(error: unknown): Failure {
  return new Failure(
    `The database user may not make Millrace's tables: ${errorReason(error)}.`,
    'Grant it CREATE on the database, or create the schema `millrace` and make it the owner.',
    { cause: error },
  )
}
