import { randomBytes } from 'node:crypto'
import type { Queryable } from '../database/queryable.ts'

const secretBytes = 32

/** The secret of that name, the same for all servers of a store; the first call of them all makes it. */
export async function loadSecret(database: Queryable, name: 'content-link'): Promise<Buffer> {
  await database.query('insert into secret (name, value) values ($1, $2) on conflict do nothing', [
    name,
    randomBytes(secretBytes),
  ])
  const { rows } = await database.query<{ value: Buffer }>('select value from secret where name = $1', [name])
  return rows[0]!.value
}
