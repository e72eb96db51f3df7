import pg from 'pg'
import type { Store } from '../config.ts'
import { Failure } from '../failure.ts'
import { insistOnCluster } from './embedded/cluster.ts'
import { startEmbedded } from './embedded/embedded.ts'
import { errorReason } from './error-code.ts'
import type { DatabaseLog } from './event.ts'
import { openPool } from './pool.ts'
import { answeringBounds, boundOptions, sessionBounds } from './session-bounds.ts'
import { answeringPatience } from './watched-pool.ts'

export { openPool } from './pool.ts'
export { transaction } from './transaction.ts'

/** An open database. */
export interface Database {
  readonly pool: pg.Pool
  /** How to reach it, as plain data: a worker thread opens its own pool with `openPool`. */
  readonly connection: pg.PoolConfig
  readonly embedded: boolean
  /** Resolves when the embedded server died and could not be brought back: the program should end. */
  readonly lost: Promise<Failure>
  /** Ends the pool and lets go of the embedded server. */
  close(): Promise<void>
}

export interface DatabaseOptions {
  readonly log: DatabaseLog
  /** Connections of `pool`. */
  readonly poolSize?: number
  /** An embedded store must be there: none is made. */
  readonly mustExist?: boolean
  /** `pool` answers requests: nobody waits for long. */
  readonly answering?: boolean
}

const poolSizeDefault = 10
const versionMin = 15
const connectMsMax = 10_000
const keepAliveAfterMs = 30_000

/** Tables are found without their schema's name on every connection. */
const schemaOption = '-c search_path=millrace'
const sessionOptions = `${boundOptions(sessionBounds)} ${schemaOption}`

/**
 * Opens the store: starts or joins the embedded PostgreSQL, or connects to the one the URL names.
 * @throws Failure when it cannot be reached, or is older than PostgreSQL 15.
 */
export async function openDatabase(store: Store, options: DatabaseOptions): Promise<Database> {
  return store.kind === 'embedded' ? openEmbedded(store.directory, options) : openExternal(store.url, options)
}

async function openEmbedded(directory: string, options: DatabaseOptions): Promise<Database> {
  if (options.mustExist) insistOnCluster(directory)
  const server = await startEmbedded(directory, options.log)
  const connection = { ...common, ...server.connection, ssl: false, options: sessionOptions }
  const pool = openLoggedPool(connection, options)
  const close = async () => {
    await pool.end()
    await server.release()
  }
  return { pool, connection, embedded: true, lost: server.lost, close }
}

async function openExternal(url: string, options: DatabaseOptions): Promise<Database> {
  const connection = externalConnection(url)
  checkFiles(connection)
  const pool = openLoggedPool(connection, options)
  try {
    await checkVersion(pool)
  } catch (error) {
    await pool.end()
    if (error instanceof Failure) throw error
    throw unreachable(connection, error)
  }
  return { pool, connection, embedded: false, lost: new Promise(() => {}), close: () => pool.end() }
}

const common = {
  application_name: 'millrace',
  connectionTimeoutMillis: connectMsMax,
  keepAlive: true,
  keepAliveInitialDelayMillis: keepAliveAfterMs,
} satisfies pg.PoolConfig

/** The driver lets what the URL says win over its other settings, so options of the URL are extended inside the URL. */
function externalConnection(url: string): pg.PoolConfig {
  const parsed = URL.parse(url)
  if (parsed === null) {
    throw new Failure(
      'The URL of the database cannot be read.',
      'Write it as postgresql://user:password@host:5432/database, with special characters percent-encoded.',
    )
  }
  const own = parsed.searchParams.get('options')
  if (own === null) return { ...common, connectionString: url, options: sessionOptions }
  parsed.searchParams.set('options', `${boundOptions(sessionBounds)} ${own} ${schemaOption}`)
  return { ...common, connectionString: parsed.href }
}

/** The driver reads the certificates and keys that a URL names when it makes a client. */
function checkFiles(connection: pg.PoolConfig): void {
  try {
    new pg.Client(connection)
  } catch (error) {
    throw new Failure(
      `The URL of the database cannot be used: ${errorReason(error)}.`,
      'Check the files that sslrootcert, sslcert and sslkey of --database-url (MILLRACE_DATABASE_URL) name.',
      { cause: error },
    )
  }
}

/** The connection with the bounds of sessions that answer requests, unless the URL has options of its own, which stay. */
function answeringConnection(connection: pg.PoolConfig): pg.PoolConfig {
  if (connection.options === undefined) return connection
  return { ...connection, options: `${boundOptions(answeringBounds)} ${schemaOption}` }
}

/** A pool of sessions that answer requests: they wait less long than those that work. */
export const openAnsweringPool = (connection: pg.PoolConfig, size: number): pg.Pool =>
  openPool(answeringConnection(connection), size, answeringPatience)

function openLoggedPool(connection: pg.PoolConfig, options: DatabaseOptions): pg.Pool {
  const { log, poolSize = poolSizeDefault, answering } = options
  const pool = answering ? openAnsweringPool(connection, poolSize) : openPool(connection, poolSize)
  pool.on('error', (error) => log({ event: 'connection-lost', reason: errorReason(error) }))
  return pool
}

async function checkVersion(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ version: number }>(
    `select current_setting('server_version_num')::integer / 10000 as version`,
  )
  const version = rows[0]?.version ?? 0
  if (version >= versionMin) return
  throw new Failure(
    `The database is PostgreSQL ${version}; Millrace needs ${versionMin} or newer.`,
    'Upgrade the server, or name another one with --database-url.',
  )
}

/** The message names the host and the reason. The URL is not in it, because the URL holds the password. */
function unreachable(connection: pg.PoolConfig, error: unknown): Failure {
  const { host, port } = new pg.Client(connection)
  return new Failure(
    `The database at ${host}:${port} cannot be used: ${errorReason(error)}.`,
    'Check the host, user, password and database of --database-url (MILLRACE_DATABASE_URL), and that the server runs.',
    { cause: error },
  )
}
