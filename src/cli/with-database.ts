import type { Pool, PoolConfig } from 'pg'
import { readStore, type StoreFlags } from '../config.ts'
import { openDatabase } from '../database/connection.ts'
import type { DatabaseLog } from '../database/event.ts'
import { migrate } from '../database/migrate.ts'
import { Failure } from '../failure.ts'

/** Of a command: two that pack, one that holds a lock meanwhile, and one for everything else. */
const commandPoolSize = 4

/**
 * Opens the store that the flags or the environment name, brings its schema up to date, works, and closes it.
 * @param creates an embedded store is made where there is none: only for commands that one begins with
 */
export async function withDatabase<T>(
  flags: StoreFlags,
  environment: Readonly<Record<string, string | undefined>>,
  work: (pool: Pool, connection: PoolConfig) => Promise<T>,
  creates = false,
): Promise<T> {
  const options = { log: tellWaits, poolSize: commandPoolSize, mustExist: !creates }
  const database = await openDatabase(readStore(flags, environment), options)
  try {
    await migrate(database.pool)
    return await work(database.pool, database.connection)
  } catch (error) {
    throw isLostConnection(error) ? databaseGone(error) : error
  } finally {
    await database.close()
  }
}

/** Whoever waits in front of a command learns what for; everything else of the database is the server's log's. */
const tellWaits: DatabaseLog = (event) => {
  if (event.event !== 'database-waiting') return
  process.stderr.write(`millrace: waiting for the database for ${Math.round(event.ms / 1000)} s: ${event.reason}\n`)
}

/** The server ended or the connection broke: PostgreSQL's classes 08 and 57P, and what sockets and the driver say. */
function isLostConnection(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return /^(08|57P0|ECONN|EPIPE)/.test(code) || /Connection terminated|terminating connection/.test(message)
}

/** What a command says that lost its database. */
export const databaseGone = (cause: unknown): Failure =>
  new Failure(
    'The database went away while the command was at work.',
    'What had been written before is kept. See that the database runs, and type the same command again.',
    { cause },
  )
