import type { Pool } from 'pg'
import type { OwnerSize } from '../export/plan.ts'
import type { PackDemand } from './packed-owners.ts'

// Only types without packs are counted in the versions. An owner is left out only when there was nothing at the time.
const sizesSql = `
  select o.owner, coalesce(p.bytes, 0) + coalesce(r.bytes, 0) as bytes, coalesce(p.packed, 0) as packed,
    coalesce(p.records, 0) + coalesce(r.records, 0) as records
  from unnest($2::text[]) as o(owner)
  cross join lateral (
    select array_agg(type) as types, bool_or(relevant) as relevant,
      sum(records) filter (where relevant) as records,
      sum(packed) filter (where relevant and copied) as packed,
      sum(bytes) filter (where relevant and not copied) as bytes
    from (
      select type, records, bytes, packed, newest > $6 or changed > $5 as relevant,
        type = any ($4) and oldest > $6 and changed <= $5 as copied
      from pack where tenant = $1 and owner = o.owner and type = any ($3) offset 0) each) p
  cross join lateral (
    select sum(octet_length(body))::bigint as bytes, count(*) as records from record
    where tenant = $1 and owner = o.owner
      and type = any (array(select t from unnest($3::text[]) as t where p.types is null or t <> all (p.types)))
      and written <= $5 and superseded > $5 and not deleted
      and updated > $6 and updated < $7) r
  where p.relevant or r.records > 0`

/**
 * What the owners have as of a time; one without any record that the export wants has no entry. (Where packs tell of changes after
 * `since`, an owner without any before `until` may have one.)
 */
export async function ownerSizes(
  pool: Pool,
  owners: readonly string[],
  { tenant, types, usable, asOf, since, until }: PackDemand,
): Promise<OwnerSize[]> {
  const { rows } = await pool.query(sizesSql, [
    tenant,
    owners,
    types,
    usable,
    new Date(asOf),
    since === undefined ? '-infinity' : new Date(since),
    until === undefined ? 'infinity' : new Date(until),
  ])
  return rows.map(({ owner, bytes, packed, records }) => ({
    owner,
    bytes: Number(bytes),
    packed: Number(packed),
    records: Number(records),
  }))
}
