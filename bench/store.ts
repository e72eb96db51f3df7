import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pool } from 'pg'
import type { Credentials } from '../src/client/session/token-source.ts'
import type { Store } from '../src/config.ts'
import { type Database, openDatabase } from '../src/database/connection.ts'
import { storeId } from '../src/database/setting.ts'
import { Failure } from '../src/failure.ts'
import type { Book } from './book.ts'
import type { FigureName } from './catalogue.ts'
import type { Dataset } from './dataset.ts'
import { millrace, run } from './program.ts'

export const tenant = 'bench'

/** What a kept store remembers of how it was made. */
interface Kept {
  readonly fingerprint: string
  readonly storeId: string
  /** Records in the store at each of its sizes. */
  readonly storedRecords: readonly number[]
  /** Samples that only a load can give. */
  readonly samples: readonly (readonly [FigureName, readonly number[]])[]
}

/** The store under measure, which the benchmark looks into beside the server. */
export interface BenchStore {
  readonly database: Database
  readonly pool: Pool
  /** For the programs that work with the store. */
  readonly environment: NodeJS.ProcessEnv
  readonly kept: Kept | undefined
}

const keptFile = (work: string): string => join(work, 'store.json')
const keyFile = (work: string): string => join(work, 'client.jwk.json')
const dataDirectory = (work: string): string => join(work, 'store')

/** Where the server under measure keeps the files of exports. */
export const filesDirectory = (work: string): string => join(work, 'files')

/**
 * Opens the store that an earlier run has kept for this dataset, else an empty one.
 * @throws Failure when the database that the URL names holds a store already.
 */
export async function openStore(
  work: string,
  dataset: Pick<Dataset, 'fingerprint'>,
  databaseUrl: string | undefined,
  inherited: NodeJS.ProcessEnv,
): Promise<BenchStore> {
  const store: Store =
    databaseUrl === undefined
      ? { kind: 'embedded', directory: dataDirectory(work) }
      : { kind: 'external', url: databaseUrl }
  const kept = await readKept(work)
  if (store.kind === 'embedded' && kept?.fingerprint !== dataset.fingerprint) await removeFiles(work)
  const database = await openDatabase(store, { log: () => {} })
  try {
    const found = await usable(database.pool, kept, dataset)
    return { database, pool: database.pool, environment: environmentOf(store, inherited), kept: found }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Settings of Millrace that happen to be set must not change what is measured. */
function environmentOf(store: Store, inherited: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(inherited).filter(([name]) => !name.startsWith('MILLRACE_'))
  const place = store.kind === 'embedded' ? { MILLRACE_DATA: store.directory } : { MILLRACE_DATABASE_URL: store.url }
  return { ...Object.fromEntries(others), ...place }
}

/** The kept store if it is this one. Another one must be empty: the benchmark drops both schemas at the end. */
async function usable(
  pool: Pool,
  kept: Kept | undefined,
  dataset: Pick<Dataset, 'fingerprint'>,
): Promise<Kept | undefined> {
  const { rows } = await pool.query<{ millrace: boolean; pgboss: boolean }>(
    `select to_regnamespace('millrace') is not null as millrace, to_regnamespace('pgboss') is not null as pgboss`,
  )
  const { millrace: full, pgboss: queue } = rows[0]!
  if (!full && !queue) return undefined
  if (full && kept?.fingerprint === dataset.fingerprint && kept.storeId === (await storeId(pool))) return kept
  throw new Failure(
    'The database has a schema millrace or pgboss that no run with --keep has left for this dataset.',
    'Name an empty database with --database-url. If a killed run left them: drop schema millrace, pgboss cascade.',
  )
}

async function readKept(work: string): Promise<Kept | undefined> {
  const text = await readFile(keptFile(work), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as Kept)
}

/** Adds the tenant, if it is not there, and a client, which has no export of an earlier run in progress. */
export async function register(
  work: string,
  { environment, kept }: BenchStore,
  signal: AbortSignal,
): Promise<Credentials> {
  await rm(keyFile(work), { force: true })
  if (!kept) await run(millrace, ['tenant', 'add', tenant], { environment, signal })
  const scope = 'system/*.read system/*.write'
  const words = ['--tenant', tenant, '--name', 'bench', '--scope', scope, '--generate-key', keyFile(work), '--json']
  const { output } = await run(millrace, ['client', 'add', ...words], { environment, signal })
  const { client_id: clientId } = JSON.parse(output) as { client_id: string }
  return { clientId, key: JSON.parse(await readFile(keyFile(work), 'utf8')), scope }
}

/** Writes down what a later run must know to use the store again. */
export async function keepStore(
  work: string,
  { pool }: BenchStore,
  about: Pick<Kept, 'fingerprint' | 'storedRecords'>,
  book: Book,
  names: readonly FigureName[],
): Promise<void> {
  const samples = names.map((name) => [name, book.samples(name)] as const)
  const kept: Kept = { ...about, storeId: await storeId(pool), samples }
  await writeFile(keptFile(work), JSON.stringify(kept), { mode: 0o600 })
}

/** Empties the database and removes what lies in the directory. The server must have ended. */
export async function removeStore(work: string, { database, pool }: BenchStore): Promise<void> {
  if (!database.embedded)
    await pool.query('drop schema if exists millrace cascade; drop schema if exists pgboss cascade')
  await database.close()
  await removeFiles(work)
}

async function removeFiles(work: string): Promise<void> {
  for (const path of [keptFile(work), keyFile(work), dataDirectory(work), filesDirectory(work)]) {
    await rm(path, { recursive: true, force: true })
  }
}
