import { availableParallelism, totalmem } from 'node:os'
import type { Pool } from 'pg'

/** What the figures depend on. Neither names nor paths of the machine are in it. */
export interface Machine {
  readonly cores: number
  readonly memoryGb: number
  readonly node: string
  readonly postgres: string
  readonly database: 'embedded' | 'external'
}

export async function describeMachine(pool: Pool, database: Machine['database']): Promise<Machine> {
  const { rows } = await pool.query<{ version: string }>(`select current_setting('server_version') as version`)
  return {
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    // What a distribution adds to the number tells about the machine.
    postgres: rows[0]!.version.split(' ', 1)[0]!,
    database,
  }
}
