import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { openDatabase } from './connection.ts'
import { migrate } from './migrate.ts'

/** For tests: an empty embedded store in a temporary directory, which goes when it is closed. */
export async function openScratch(): Promise<{ readonly pool: Pool; readonly close: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-access-'))
  const database = await openDatabase({ kind: 'embedded', directory }, { log: () => {} })
  await migrate(database.pool)
  return {
    pool: database.pool,
    close: async () => {
      await database.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
