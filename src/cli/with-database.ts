import type { Pool, PoolConfig } from 'pg'
import { readStore, type StoreFlags } from '../config.ts'
import { openDatabase } from '../database/connection.ts'
import { migrate } from '../database/migrate.ts'

const commandPoolSize = 2

/** Opens the store that the flags or the environment name, brings its schema up to date, works, and closes it. */
export async function withDatabase<T>(
  flags: StoreFlags,
  environment: Readonly<Record<string, string | undefined>>,
  work: (pool: Pool, connection: PoolConfig) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(readStore(flags, environment), { log: () => {}, poolSize: commandPoolSize })
  try {
    await migrate(database.pool)
    return await work(database.pool, database.connection)
  } finally {
    await database.close()
  }
}
