import type { Pool } from 'pg'

/** What is counted of one type at most: nobody needs the exact number of very many. */
export const ownerlessCountedMax = 10_000

// Devices need no patient: one is missed only where it refers to a patient that is not known here.
const ownerlessSql = `
  select t.type, count(*)::int as records from unnest($2::text[]) as t(type)
  cross join lateral (
    select from record
    where tenant = $1 and owner = '' and type = t.type and written <= $3 and superseded > $3 and not deleted
      and updated > $4 and updated < $5
      and (t.type <> 'Device' or refs like '%?/Patient%' or refs like '%!/Patient%')
    limit ${ownerlessCountedMax + 1}) r
  group by t.type`

/**
 * How many records of some types belonged to nobody as of a time, up to one more than `ownerlessCountedMax`; types without any are left
 * out. Times are milliseconds since 1970.
 */
export async function ownerlessCounts(
  pool: Pool,
  selection: {
    readonly tenant: string
    readonly types: readonly string[]
    readonly asOf: number
    readonly since?: number | undefined
    readonly until?: number | undefined
  },
): Promise<ReadonlyMap<string, number>> {
  const { tenant, types, asOf, since, until } = selection
  const { rows } = await pool.query<{ type: string; records: number }>(ownerlessSql, [
    tenant,
    types,
    new Date(asOf),
    since === undefined ? '-infinity' : new Date(since),
    until === undefined ? 'infinity' : new Date(until),
  ])
  return new Map(rows.map(({ type, records }) => [type, records]))
}
