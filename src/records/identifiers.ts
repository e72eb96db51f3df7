import { hash } from 'node:crypto'
import type { ClientBase } from 'pg'
import type { Queryable } from '../database/queryable.ts'
import type { IdentifierQuery } from '../fhir/bundle/identifier-query.ts'
import type { Identifier } from '../fhir/identifier.ts'
import type { Key } from './current.ts'
import type { Draft } from './draft.ts'

/** A current record that a look-up found, its version and `meta.lastUpdated`. */
export interface Identified {
  readonly id: string
  readonly version: number
  readonly updated: Date
}

// The index only says where to look: what counts is the body. So neither two identifiers of one token nor a row that was left behind
// gives a wrong answer, and rows that prove false do not use up the number of those that are given.
const identifiedSql = `
  select q.number::int as number, r.id, r.version, r.updated
  from unnest($2::text[], $3::bytea[], $4::text[], $5::text[], $6::integer[])
    with ordinality as q(type, token, system, value, most, number)
  cross join lateral (
    select c.id, c.version, c.updated from identifier i
    cross join lateral (
      select id, version, updated, body from record
      where tenant = $1 and type = q.type and id = i.id and lead and superseded = 'infinity' and not deleted
      offset 0) c
    where i.tenant = $1 and i.type = q.type and i.token = q.token
      and exists (select from identifiers_of(c.body) f where f.system = q.system and f.value = q.value)
    order by i.id
    limit q.most) r
  order by number, id`

/**
 * Looks up current records by identifier, for any number of queries in one statement.
 * @param most how many records are given of each query, of all or each: who asks whether there is just one needs two
 * @returns for each query the records that have the identifier, in order of their ids
 */
export async function recordsByIdentifier(
  database: Queryable,
  tenant: string,
  queries: readonly IdentifierQuery[],
  most: number | readonly number[],
): Promise<readonly (readonly Identified[])[]> {
  const found: Identified[][] = queries.map(() => [])
  // A text of the database has no NUL, so no record is found by one.
  const asked = [...queries.entries()].filter(([, { system, value }]) => !`${system}${value}`.includes('\0'))
  if (asked.length === 0) return found
  const { rows } = await database.query<Identified & { number: number }>(identifiedSql, [
    tenant,
    asked.map(([, { type }]) => type),
    asked.map(([, query]) => tokenOf(query)),
    asked.map(([, { system }]) => system),
    asked.map(([, { value }]) => value),
    asked.map(([at]) => (typeof most === 'number' ? most : most[at])),
  ])
  for (const { number, ...record } of rows) found[asked[number - 1]![0]]!.push(record)
  return found
}

/** The same where only the ids matter: at most two of each query. */
export async function idsByIdentifier(
  database: Queryable,
  tenant: string,
  queries: readonly IdentifierQuery[],
): Promise<readonly (readonly string[])[]> {
  const found = await recordsByIdentifier(database, tenant, queries, 2)
  return found.map((records) => records.map(({ id }) => id))
}

/** What an identifier is found by: 16 bytes, whatever its length. */
export const tokenOf = ({ system, value }: Identifier): Buffer =>
  Buffer.from(hash('sha256', `${system}|${value}`, 'binary').slice(0, tokenBytes), 'latin1')

const tokenBytes = 16

// Rows that stay are left alone: most updates change no identifier.
const dropSql = `
  delete from identifier using (
    select i.row from unnest($2::text[], $3::text[]) as k(type, id)
    cross join lateral (
      select body from record
      where tenant = $1 and type = k.type and id = k.id and lead and superseded = 'infinity'
      offset 0) r
    cross join lateral identifiers_of(r.body) f
    cross join lateral (
      select ctid as row, token from identifier
      where tenant = $1 and type = k.type and token = identifier_token(f.system, f.value) and id = k.id
      offset 0) i
    where (k.type, i.token, k.id) not in (select * from unnest($4::text[], $5::bytea[], $6::text[]))) gone
  where ctid = gone.row`

const addSql = `
  insert into identifier (tenant, type, token, id)
  select $1, * from unnest($2::text[], $3::bytea[], $4::text[])
  on conflict do nothing`

/**
 * Brings the index up to what a write makes of the store. To be called in its transaction, before the versions that it ends have ended:
 * their bodies say what was indexed.
 * @param drafts the records that get a new version
 * @param ended records that had a version and were not deleted
 */
export async function reindex(
  client: ClientBase,
  tenant: string,
  drafts: readonly Draft[],
  ended: readonly Key[],
): Promise<void> {
  const rows = drafts.flatMap(({ type, id, identifiers }) =>
    identifiers.map((identifier) => ({ type, token: tokenOf(identifier), id })),
  )
  const added = [rows.map(({ type }) => type), rows.map(({ token }) => token), rows.map(({ id }) => id)]
  if (ended.length > 0) {
    await client.query(dropSql, [tenant, ended.map(({ type }) => type), ended.map(({ id }) => id), ...added])
  }
  if (rows.length > 0) await client.query(addSql, [tenant, ...added])
}
