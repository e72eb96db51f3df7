import type { Queryable } from '../../database/queryable.ts'

/** Connections that a server takes at most, without its workers. */
export const serverConnectionsMax = 39
/** Those of each worker. */
export const workerConnectionsMax = 17

/** A database that allows fewer connections than a server may take. */
export interface FewConnections {
  readonly allowed: number
  readonly needed: number
}

const allowedSql = `
  select least(
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer,
    (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user),
    (select nullif(datconnlimit, -1) from pg_database where datname = current_database())) as allowed`

/** How many connections the database allows, if that is too few for a server with so many workers. Others may need some too. */
export async function fewConnections(client: Queryable, workers: number): Promise<FewConnections | undefined> {
  const { rows } = await client.query<{ allowed: number }>(allowedSql)
  const [{ allowed }] = rows as [{ allowed: number }]
  const needed = serverConnectionsMax + workers * workerConnectionsMax
  return allowed < needed ? { allowed, needed } : undefined
}
