import type { ClientBase, QueryResult } from 'pg'

/** A writer holds back every cut, and a waiting cut every other writer: one that stands still is ended by the database. */
const pauseMsMax = 30_000
const statementMsMax = 120_000

/** Advisory locks of identifiers have this class; their numbers are those of `identifierLocks`. */
const identifierLockClass = 7064

/**
 * Begins the transaction of a write and gives the time from which its versions are valid, in milliseconds since 1970. Whoever has to
 * wait for an identifier does so before the clock is read, where it holds back nobody's cut.
 * @param alone no other write is at work until it ends
 * @param deferred its commit will not wait for the disk
 * @param locks of identifiers, in the order of `identifierLocks`
 */
export async function beginWrite(
  client: ClientBase,
  alone: boolean,
  deferred: boolean,
  locks: readonly number[],
): Promise<number> {
  const results = (await client.query(`
    begin isolation level read committed;
    set local synchronous_commit = ${deferred ? 'off' : 'on'};
    set local idle_in_transaction_session_timeout = ${pauseMsMax};
    set local statement_timeout = ${statementMsMax};
    ${lockingSql(locks)}
    select ${alone ? 'stamp_write_alone' : 'stamp_write'}() as at`)) as unknown as QueryResult<{ at: Date }>[]
  return results.at(-1)!.rows[0]!.at.getTime()
}

const lockingSql = (locks: readonly number[]): string =>
  locks.length === 0
    ? ''
    : `select pg_advisory_xact_lock(${identifierLockClass}, number) from unnest('{${locks.join(',')}}'::integer[]) as number;`
