import pg from 'pg'
import { errorCode, errorReason } from '../error-code.ts'

/** How to reach the embedded server: a Unix socket in `host`. */
export interface EmbeddedConnection {
  readonly host: string
  readonly port: 5432
  readonly user: 'millrace'
  readonly database: 'millrace'
}

/**
 * What a server said to an attempt to connect: `ready`, `starting` (or recovering), `stopping`, or nothing.
 * `missing` when the server is ready but has no such database.
 */
export type Answer = 'ready' | 'starting' | 'stopping' | 'missing' | 'silent'

const probeMsMax = 5_000
/** A server that stops has the code of one that starts; its messages are in English, because its locale is C. */
const stopping = /shutting down/

/** The codes of PostgreSQL that tell how the server is. */
const answers: Readonly<Record<string, Answer>> = {
  '3D000': 'missing',
  '57P03': 'starting',
  '57P02': 'starting',
  '57P01': 'stopping',
  '53300': 'ready',
}

/** Tries to connect once. Throws only what time will not mend, such as a refused user. */
export async function probe(connection: EmbeddedConnection): Promise<Answer> {
  const client = clientOf(connection, connection.database)
  try {
    await client.connect()
    return 'ready'
  } catch (error) {
    const code = errorCode(error)
    const answer = code === undefined ? 'silent' : answers[code]
    if (answer === 'starting' && stopping.test(errorReason(error))) return 'stopping'
    if (answer !== undefined) return answer
    if (error instanceof pg.DatabaseError) throw error
    return 'silent'
  } finally {
    await client.end().catch(() => {})
  }
}

/** Creates the database; another program may have just done so. */
export async function createDatabase(connection: EmbeddedConnection): Promise<void> {
  const client = clientOf(connection, 'postgres')
  try {
    await client.connect()
    await client.query(`create database ${client.escapeIdentifier(connection.database)}`)
  } catch (error) {
    // duplicate_database, unique_violation, object_in_use: the other program's `create database` came first.
    if (!['42P04', '23505', '55006'].includes(errorCode(error) ?? '')) throw error
  } finally {
    await client.end().catch(() => {})
  }
}

function clientOf(connection: EmbeddedConnection, database: string): pg.Client {
  const client = new pg.Client({ ...connection, database, ssl: false, connectionTimeoutMillis: probeMsMax })
  // A server that goes away between two steps is seen by the next step.
  client.on('error', () => {})
  return client
}
