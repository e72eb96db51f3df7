import type { Pool } from 'pg'
import { inHalves } from '../database/in-halves.ts'
import type { OwnerSize } from '../protocol/plan/planned-partitions.ts'
import type { PackDemand } from './packs/pack-demand.ts'
import { packedTypes } from './packs/packed-types.ts'

/** What packs are: `relevant` when they hold or hide something to export, `copied` when they serve. */
const packsOfOwner = `
  select type, number, records, bytes, packed, absent,
    type = any ($3) and (newest > $6 or changed > $5) as relevant,
    type = any ($4) and oldest > $6 and changed <= $5 as copied
  from pack where tenant = $1 and owner = o.owner offset 0`

const packSums = `
  bool_or(relevant) as relevant, sum(records) filter (where relevant) as records,
  sum(packed) filter (where relevant and copied) as packed,
  sum(bytes) filter (where relevant and not copied) as bytes`

const namedTypes = `string_to_array(max(absent), ' ')`

/** Whether packs tell of each type. Where all types are asked for, counting them says the same in a fraction of the time. */
const isTold = `$3 <@ (array_agg(type) filter (where number = 0) || ${namedTypes})`
const isToldOfAll = `
  count(*) filter (where number = 0 and type <> '') + cardinality(${namedTypes}) = ${packedTypes.length}`

const packsSql = (types: readonly string[]) => `
  select o.owner, p.* from unnest($2::text[]) as o(owner)
  cross join lateral (
    select ${packedTypes.every((type) => types.includes(type)) ? isToldOfAll : isTold} as whole, ${packSums}
    from (${packsOfOwner}) each) p`

// Only types without packs are counted in the versions. An owner is left out only when there was nothing at the time.
const sizesSql = `
  select o.owner, coalesce(p.bytes, 0) + coalesce(r.bytes, 0) as bytes, p.packed,
    coalesce(p.records, 0) + coalesce(r.records, 0) as records
  from unnest($2::text[]) as o(owner)
  cross join lateral (
    select array_agg(type) as types, ${packSums} from (${packsOfOwner}) each) p
  cross join lateral (
    select sum(octet_length(body))::bigint as bytes, count(*) as records from record
    where tenant = $1 and owner = o.owner
      and type = any (array(select t from unnest($3::text[]) as t where p.types is null or t <> all (p.types)))
      and written <= $5 and superseded > $5 and not deleted
      and updated > $6 and updated < $7) r
  where p.relevant or r.records > 0`

/** Sums are texts, and null without a row. */
type Sums = { readonly [Name in keyof OwnerSize]: Name extends 'owner' ? string : string | null }

/**
 * What the owners have as of a time; one without any record that the export wants has no entry. (Where packs tell of changes after
 * `since`, an owner without any before `until` may have one.) Who has packs of all types needs no look at the versions.
 */
export async function ownerSizes(
  pool: Pool,
  owners: readonly string[],
  { tenant, types, usable, asOf, since, until }: PackDemand,
): Promise<OwnerSize[]> {
  const asked = [types, usable, new Date(asOf), since === undefined ? '-infinity' : new Date(since)]
  const packed = await inHalves(owners, async (half) => {
    const { rows } = await pool.query<Sums & { whole: boolean | null; relevant: boolean }>(packsSql(types), [
      tenant,
      half,
      ...asked,
    ])
    return rows
  })
  const whole = packed.filter((row) => row.whole)
  const partly = packed.filter((row) => !row.whole).map(({ owner }) => owner)
  const sizes = whole.filter(({ relevant }) => relevant).map(sizeOf)
  if (partly.length === 0) return sizes
  const before = until === undefined ? 'infinity' : new Date(until)
  const { rows } = await pool.query<Sums>(sizesSql, [tenant, partly, ...asked, before])
  return [...sizes, ...rows.map(sizeOf)]
}

const sizeOf = ({ owner, bytes, packed, records }: Sums): OwnerSize => ({
  owner,
  bytes: Number(bytes),
  packed: Number(packed),
  records: Number(records),
})
