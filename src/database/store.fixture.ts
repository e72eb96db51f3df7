import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from './connection.ts'
import { migrate } from './migrate.ts'

/** A store of a test's own, on the embedded PostgreSQL. */
export interface TestStore extends Pick<Database, 'pool' | 'connection'> {
  /** The data directory: programs that are given it join the running database. The test may put files of its own into it. */
  readonly directory: string
  /** Closes the database and removes the directory with all that is in it. What works in it must have ended. */
  readonly close: () => Promise<void>
}

/**
 * Opens an empty store, with all tables, in a new temporary directory. It is the test that closes it.
 * @param poolSize connections of `pool`, if not as many as usual
 */
export async function openTestStore({ poolSize }: { readonly poolSize?: number } = {}): Promise<TestStore> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-store-'))
  const options = { log: () => {}, ...(poolSize === undefined ? {} : { poolSize }) }
  const database = await openDatabase({ kind: 'embedded', directory }, options)
  await migrate(database.pool)
  return {
    pool: database.pool,
    connection: database.connection,
    directory,
    close: async () => {
      await database.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
