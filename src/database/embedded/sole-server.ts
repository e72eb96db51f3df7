import pg from 'pg'
import { Failure } from '../../failure.ts'

/** Class and number of the advisory lock that the server of an embedded database holds. */
const lockKey = [7063, 1]
const retryMs = 1_000

/**
 * Makes this process the only server of an embedded database: two would share one directory of files.
 * The lock lives in a session, so a killed server never blocks the next one. A lost session is taken up again.
 * @throws Failure when another server holds it
 */
export async function becomeSoleServer(
  connection: pg.PoolConfig,
  directory: string,
): Promise<{ readonly release: () => Promise<void> }> {
  let client = await lock(connection)
  if (!client) {
    throw new Failure(
      `Another Millrace server uses ${directory}.`,
      'Stop it first, or name another directory with --data. Several servers can share a PostgreSQL of their own (--database-url).',
    )
  }
  let released = false
  const renew = () => {
    if (released) return
    setTimeout(async () => {
      client = await lock(connection).catch(() => undefined)
      client ? client.once('end', renew) : renew()
    }, retryMs).unref()
  }
  client.once('end', renew)
  return {
    release: async () => {
      released = true
      await client?.end().catch(() => {})
    },
  }
}

async function lock(connection: pg.PoolConfig): Promise<pg.Client | undefined> {
  const client = new pg.Client(connection)
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query('select pg_try_advisory_lock($1, $2) as taken', lockKey)
  if (rows[0].taken) return client
  await client.end()
  return undefined
}
