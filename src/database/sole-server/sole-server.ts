import pg from 'pg'
import { Failure } from '../../failure.ts'
import { openPresence, type Presence } from './presence.ts'

/** Class and number of the advisory lock that the server of an embedded database holds. */
const lockKey = [7063, 1]
const retryMs = 1_000

/**
 * Makes this process the only server of an embedded database: two would share one directory of files.
 * A lock in a session lets one of several through that start together, and a killed server never blocks the next one. But the lock goes
 * with the database, which may die and come back under a server that lives on: so a server is also present at a socket of its own,
 * which lives as long as its process. A lost session is taken up again.
 * @throws Failure when there is another server
 */
export async function becomeSoleServer(
  connection: pg.PoolConfig,
  directory: string,
): Promise<{ readonly release: () => Promise<void> }> {
  const [session, presence] = await enter(connection)
  if (!session || !presence) {
    await session?.end()
    throw new Failure(
      `Another Millrace server uses ${directory}.`,
      'Stop it first, or name another directory with --data. Several servers can share a PostgreSQL of their own (--database-url).',
    )
  }
  let client: pg.Client | undefined = session
  let timer: NodeJS.Timeout | undefined
  let renewing: Promise<void> | undefined
  let released = false
  const renew = async () => {
    client = await lock(connection).catch(() => undefined)
    if (released) await client?.end().catch(() => {})
    else if (client) client.once('end', renewLater)
    else renewLater()
  }
  const renewLater = () => {
    if (released) return
    timer = setTimeout(() => {
      renewing = renew()
    }, retryMs).unref()
  }
  session.once('end', renewLater)
  return {
    // What is under way is awaited: it would take the lock after it was let go, and keep it from whoever starts next, ourselves too.
    release: async () => {
      released = true
      clearTimeout(timer)
      await presence.close()
      await renewing
      await client?.end().catch(() => {})
    },
  }
}

/** The lock, then the presence; and the lock must still be there afterwards, or another server may have done the same. */
async function enter(connection: pg.PoolConfig) {
  const session = await lock(connection)
  if (!session) return []
  let presence: Presence | undefined
  try {
    presence = await openPresence(connection.host!)
    await session.query('select')
    return [session, presence] as const
  } catch (error) {
    await presence?.close()
    await session.end().catch(() => {})
    throw error
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
