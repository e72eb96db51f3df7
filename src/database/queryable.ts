import type { Pool, PoolClient } from 'pg'

/** What access needs of a database: a pool, or one connection of it that holds a transaction. */
export type Queryable = Pick<Pool | PoolClient, 'query'>
