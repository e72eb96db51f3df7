import type { Pool } from 'pg'
import { inHalves } from '../database/in-halves.ts'
import type { OwnerSize } from '../protocol/plan/planned-partitions.ts'
import { updatedWithin, validAt } from './as-of.ts'
import { isTold } from './packs/pack-about.ts'
import { manyTypesMin, type PackDemand } from './packs/pack-demand.ts'
import { isWithinTimes, touchesTimes } from './packs/pack-times.ts'
import { instant, textArray } from './sql-literal.ts'
import { typesOfOwner } from './types-of-owner.ts'

/**
 * What packs are: `relevant` when they hold or hide something to export, `true` when they serve, `copied` when they do so as they are. A
 * Provenance comes along with other records; for itself only if it is asked for.
 */
const packsOfOwner = (demand: PackDemand) => `
  select type, number, records, bytes, packed, present, ${mayHold(demand)} as relevant,
    ${demand.alone ? 'true' : "type <> 'Provenance'"} as leads,
    ${isTrue(demand)} as current,
    ${isTrue(demand)} and type <> all (${textArray(demand.inflated)}) and ${isTold(demand)} and ${isWithinTimes(demand)} as copied
  from pack where tenant = $1 and owner = o.owner offset 0`

const mayHold = (demand: PackDemand) => `type = any ($3) and
  (newest > '-infinity' and ${touchesTimes(demand)} or changed > ${instant(demand.asOf)})`

const isTrue = ({ asOf }: PackDemand) => `changed <= ${instant(asOf)}`

const packSums = `
  bool_or(relevant and leads) as relevant, sum(records) filter (where relevant) as records,
  sum(packed) filter (where relevant and copied) as packed,
  sum(bytes) filter (where relevant and current and not copied) as inflated,
  sum(bytes) filter (where relevant and not current) as bytes`

/** The types of which an owner may have records; null where no pack tells. */
const presentTypes = `string_to_array(max(present) filter (where type = ''), ' ')`

/** Whether packs tell of each type that is asked for. */
const isWhole = `
  bool_or(type = '')
    and array(select t from unnest(${presentTypes}) as t where t = any ($3)) <@ array_agg(type) filter (where number = 0)`

/** Where many types are asked for: there are packs of as many types as the owner has, which takes a fraction of the time to find out. */
const isWholeOfMany = `
  case count(*) filter (where number = 0 and type <> '') when cardinality(${presentTypes}) then true else ${isWhole} end`

const packsSql = (demand: PackDemand) => `
  select o.owner, p.* from unnest($2::text[]) as o(owner)
  cross join lateral (
    select ${demand.types.length < manyTypesMin ? isWhole : isWholeOfMany} as whole, ${packSums}
    from (${packsOfOwner(demand)}) each) p`

// Only types without packs are counted in the versions. An owner is left out only when there was nothing at the time.
const sizesSql = (demand: PackDemand) => `
  select o.owner, coalesce(p.bytes, 0) + coalesce(r.bytes, 0) as bytes, p.packed, p.inflated,
    coalesce(p.records, 0) + coalesce(r.records, 0) as records
  from unnest($2::text[]) as o(owner)
  cross join lateral (
    select array_agg(type) as types, ${packSums} from (${packsOfOwner(demand)}) each) p
  cross join lateral (
    select sum(octet_length(body))::bigint as bytes, count(*) as records from record
    where tenant = $1 and owner = o.owner
      and type = any (array(
        select t from ${typesOfOwner('$1', 'o.owner')} as t where t = any ($3) and (p.types is null or t <> all (p.types))))
      and ${validAt(demand.asOf)} ${updatedWithin(demand)}) r
  where p.relevant or r.records > 0`

/** Sums are texts, and null without a row. */
type Sums = { readonly [Name in keyof OwnerSize]: Name extends 'owner' ? string : string | null }

/**
 * What the owners have as of a time; one without any record that the export wants has no entry. (Where packs tell of changes after
 * `since`, an owner without any before `until` may have one.) Who has packs of all types needs no look at the versions.
 */
export async function ownerSizes(pool: Pool, owners: readonly string[], demand: PackDemand): Promise<OwnerSize[]> {
  const { tenant, types } = demand
  const packed = await inHalves(owners, async (half) => {
    const bound = [tenant, half, types]
    return (await pool.query<Sums & { whole: boolean | null; relevant: boolean }>(packsSql(demand), bound)).rows
  })
  const whole = packed.filter((row) => row.whole)
  const partly = packed.filter((row) => !row.whole).map(({ owner }) => owner)
  const sizes = whole.filter(({ relevant }) => relevant).map(sizeOf)
  if (partly.length === 0) return sizes
  const { rows } = await pool.query<Sums>(sizesSql(demand), [tenant, partly, types])
  return [...sizes, ...rows.map(sizeOf)]
}

const sizeOf = ({ owner, bytes, packed, inflated, records }: Sums): OwnerSize => ({
  owner,
  bytes: Number(bytes),
  packed: Number(packed),
  inflated: Number(inflated),
  records: Number(records),
})
