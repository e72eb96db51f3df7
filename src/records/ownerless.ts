import type { Pool } from 'pg'
import { somebody } from '../fhir/open-reference.ts'
import { allTypes, isOwnedType, needsPatient } from '../fhir/resource-types.ts'
import { updatedWithin, validAt } from './as-of.ts'
import { copyRows } from './copy/copy-out.ts'
import { text, textArray } from './sql-literal.ts'

/** How far records of a type are counted: nobody needs the exact number of very many. */
export interface OwnerlessBounds {
  /** What is found. */
  readonly countedMax: number
  /** Versions of records that are looked at to find them. */
  readonly lookedAtMax: number
  /** The same where their bodies must be read. */
  readonly bodiesMax: number
}

export const ownerlessBounds: OwnerlessBounds = { countedMax: 10_000, lookedAtMax: 100_000, bodiesMax: 20_000 }

/** How many records were found; `more` if the count ended before all of them were looked at. */
export interface OwnerlessCount {
  readonly records: number
  readonly more: boolean
}

interface Counted {
  /** Of those that may be missed only the crowded: they stand in the compartment of more patients than a record may belong to. */
  readonly crowdedOnly?: boolean
  readonly tenant: string
  readonly asOf: number
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly signal?: AbortSignal
}

/** Types of which a record that is nobody's may be missed. A Provenance is missed with its targets. */
export const typesOfPatients = allTypes.filter((type) => isOwnedType(type) && !['Patient', 'Provenance'].includes(type))

const hasMark = (mark: string): string => `refs like ${text(`%${mark}%`)}`

const isCrowded = hasMark(somebody.crowd)

/**
 * Of most types a record needs no patient: one is missed only where it is about somebody who is not known here, or about too many.
 */
export const missesPatient = `(type = any (${textArray(allTypes.filter(needsPatient))}) or ${Object.values(somebody).map(hasMark).join(' or ')})`

const isMissed = (selection: Counted): string =>
  `${validAt(selection.asOf)} ${updatedWithin(selection)} and ${selection.crowdedOnly ? isCrowded : missesPatient}`

/**
 * How many records of some types belonged to nobody as of a time; types of which none is known are left out. Times are milliseconds since
 * 1970.
 */
export async function ownerlessCounts(
  pool: Pool,
  selection: Counted & { readonly types: readonly string[] },
  { countedMax, lookedAtMax }: OwnerlessBounds = ownerlessBounds,
): Promise<ReadonlyMap<string, OwnerlessCount>> {
  // The last one that is looked at is given in any case, to tell that there may be more.
  const { rows } = await pool.query<{ type: string } & OwnerlessCount>(`
    select t.type, c.* from unnest(${textArray(selection.types)}) as t(type)
    cross join lateral (
      select (count(*) filter (where missed))::int as records,
        coalesce(bool_or(number = ${lookedAtMax}), false) or count(*) > ${countedMax} as more
      from (
        select missed, number from (
          select missed, row_number() over () as number from (
            select ${isMissed(selection)} as missed from record
            where tenant = ${text(selection.tenant)} and owner = '' and type = t.type
            order by id limit ${lookedAtMax}) looked) numbered
        where missed or number = ${lookedAtMax}
        limit ${countedMax + 1}) told) c
    where c.records > 0 or c.more`)
  return new Map(rows.map(({ type, records, more }) => [type, countOf(records, more, countedMax)]))
}

/**
 * How many records there were of some types as of a time, whoever owns them; types of which there were none are left out.
 */
export async function recordCounts(
  pool: Pool,
  selection: { readonly tenant: string; readonly types: readonly string[]; readonly asOf: number },
  { countedMax }: OwnerlessBounds = ownerlessBounds,
): Promise<ReadonlyMap<string, OwnerlessCount>> {
  const { tenant, types, asOf } = selection
  const ofType = `tenant = ${text(tenant)} and type = t.type and lead and ${validAt(asOf)}`
  const { rows } = await pool.query<{ type: string; records: number }>(`
    select t.type, c.records from unnest(${textArray(types)}) as t(type)
    cross join lateral (
      select count(*)::int as records from (
        (select from record where ${ofType} and superseded = 'infinity' limit ${countedMax + 1})
        union all
        (select from record where ${ofType} and superseded < 'infinity' limit ${countedMax + 1})) counted) c
    where c.records > 0`)
  return new Map(rows.map(({ type, records }) => [type, countOf(records, records > countedMax, countedMax)]))
}

/** How many records of one type belonged to nobody where only some bodies count. */
export async function ownerlessCount(
  pool: Pool,
  selection: Counted & { readonly type: string },
  counts: (body: Buffer) => boolean,
  { countedMax, bodiesMax }: OwnerlessBounds = ownerlessBounds,
): Promise<OwnerlessCount> {
  const { tenant, type, signal } = selection
  const query = `
    select case when ${isMissed(selection)} then body end from record
    where tenant = ${text(tenant)} and owner = '' and type = ${text(type)}
    order by id limit ${bodiesMax}`
  let [looked, records] = [0, 0]
  for await (const rows of copyRows(pool, query, signal)) {
    looked += rows.length
    records += rows.filter((row) => !row.isNull(0) && counts(row.binary(0))).length
    if (records > countedMax) break
  }
  return countOf(records, looked === bodiesMax || records > countedMax, countedMax)
}

const countOf = (records: number, more: boolean, countedMax: number): OwnerlessCount => ({
  records: Math.min(records, countedMax),
  more,
})
