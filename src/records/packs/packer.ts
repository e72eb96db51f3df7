import type { Pool } from 'pg'
import { transaction } from '../../database/transaction.ts'
import { ownedTypes } from '../../fhir/ownership.ts'
import type { CopyRow } from '../copy/copied-row.ts'
import { copyRows } from '../copy/copy-out.ts'
import { ownersOfTenant } from '../owners.ts'
import { text, textArray } from '../sql-literal.ts'
import { absencePacks, absenceType } from './absence-pack.ts'
import { GatheredLines } from './gathered-lines.ts'
import type { Pack } from './pack.ts'
import { PackBuilder, type PackRow } from './pack-builder.ts'
import { packedTypes } from './packed-types.ts'
import { PresentRecords } from './present-records.ts'
import { dropPacks, insertPacks, type PackChange } from './stored-packs.ts'

/** What was packed. `bytes` are those of the lines, `packed` those of the packs. */
export interface PackCounts {
  /** Owners and types that were looked at. */
  readonly changed: number
  /** Empty ones and those of no type included. */
  readonly packs: number
  readonly records: number
  readonly bytes: number
  readonly packed: number
}

/** What is to be packed. `tenant`: of this one only. `settledMs`: only what has not changed for so long. */
export interface PackScope {
  readonly tenant?: string
  readonly settledMs: number
}

/** An owner and type whose records have changed, and the number of the last change. */
interface Mark {
  readonly tenant: string
  readonly owner: string
  readonly type: string
  readonly change: string
}

/** Owners and types that are read by one query. */
const marksMax = 400

/** Packs are put into the store when so many bytes of lines have been read: their packs are held, and those of one more owner. */
const linesBytesMax = 8 * 1024 * 1024

/**
 * Packs what has changed, until everything was looked at once. Any number of packers and writers may work at the same time; writers
 * wait for it no longer than one insert takes. What changes while it is packed is left for another time.
 * @param onProgress is told the counts so far, and stops the work by giving false
 */
export async function packChanged(
  pool: Pool,
  scope: PackScope,
  onProgress: (counts: PackCounts) => boolean | Promise<boolean>,
): Promise<PackCounts> {
  const counts = { changed: 0, packs: 0, records: 0, bytes: 0, packed: 0 }
  let after: Omit<Mark, 'change'> = { tenant: scope.tenant ?? '', owner: '', type: '' }
  for (;;) {
    const marks = await readMarks(pool, scope, after)
    if (marks.length === 0) return counts
    for await (const packs of packMarks(pool, marks)) {
      counts.packs += packs.length
      for (const { records, bytes, blocks } of packs) {
        counts.records += records
        counts.bytes += bytes
        counts.packed += blocks.length
      }
    }
    counts.changed += marks.length
    after = marks.at(-1)!
    if (!(await onProgress({ ...counts }))) return counts
  }
}

/** Whether there is anything to pack. */
export async function hasChanged(pool: Pool, { tenant, settledMs }: PackScope): Promise<boolean> {
  const { rows } = await pool.query<{ changed: boolean }>(
    `select exists (select from unpacked where ($1::text is null or tenant = $1)
       and changed <= now() - $2 * interval '1 millisecond') as changed`,
    [tenant ?? null, settledMs],
  )
  return rows[0]!.changed
}

/** How many owners and types have changed since they were packed. */
export async function countChanged(pool: Pool, tenant: string | undefined): Promise<number> {
  const sql = 'select count(*)::int as count from unpacked where $1::text is null or tenant = $1'
  return (await pool.query<{ count: number }>(sql, [tenant ?? null])).rows[0]!.count
}

/** Drops all packs of a tenant, so that they are made again. Few owners at a time: writers of theirs wait no longer than for them. */
export async function dropAllPacks(pool: Pool, tenant: string): Promise<void> {
  for await (const owners of ownersOfTenant(pool, tenant)) {
    for (let start = 0; start < owners.length; start += droppedOwnersMax) {
      const some = owners.slice(start, start + droppedOwnersMax)
      const { rows } = await pool.query<PackChange>(toBePackedSql, [tenant, some, packedTypes])
      await dropPacks(pool, tenant, [...rows, ...some.map((owner) => ({ owner, type: absenceType }))])
    }
  }
}

const toBePackedSql = `
  select owner, type from record where tenant = $1 and owner = any ($2) and type = any ($3)
  union select owner, type from pack where tenant = $1 and owner = any ($2)`

/** Owners whose packs are dropped together. */
const droppedOwnersMax = 50

const marksSql = `
  select tenant, owner, type, change::text as change from unpacked
  where (tenant, owner, type) > ($1, $2, $3) and ($4::text is null or tenant = $4)
    and changed <= now() - $5 * interval '1 millisecond'
  order by tenant, owner, type limit ${marksMax}`

/** The next marks, all of one tenant. Those of an owner come together. */
async function readMarks(
  pool: Pool,
  { tenant, settledMs }: PackScope,
  after: Omit<Mark, 'change'>,
): Promise<readonly Mark[]> {
  const { rows } = await pool.query<Mark>(marksSql, [after.tenant, after.owner, after.type, tenant ?? null, settledMs])
  const [first, last] = [rows[0], rows.at(-1)]
  const ofFirst = rows.filter((mark) => mark.tenant === first!.tenant)
  if (rows.length < marksMax || last!.tenant !== first!.tenant || last!.owner === first!.owner) return ofFirst
  return ofFirst.filter((mark) => mark.owner !== last!.owner)
}

/**
 * All versions of the marks' records that are still there, in the order of the marks; only current ones with their text. Behind the
 * Provenances of an owner those records of types without a mark that they may be about: with their type as `present`, when they came, and
 * nothing else. PackBuilder joins them: for one record that takes a tenth of what a look-up in the database takes.
 */
const rowsQuery = (tenant: string, marks: readonly Mark[]): string => `
  select r.* from unnest(
    ${textArray(marks.map(({ owner }) => owner))}, ${textArray(marks.map(({ type }) => type))}, ${textArray(unmarkedTypes(marks))})
    as m(owner, type, unmarked)
  cross join lateral (
    (select p.owner, p.type, '' as present, greatest(p.written, nullif(p.superseded, 'infinity')), p.updated, p.shared, p.id, p.refs,
      p.targets, case when p.superseded = 'infinity' then p.body end
    from record as p
    where p.tenant = ${text(tenant)} and p.owner = m.owner and p.type = m.type order by p.id)
    union all
    select p.owner, m.type, p.type, p.written, p.updated, p.shared, p.id, '', '', null
    from record as p
    where m.unmarked <> '' and p.tenant = ${text(tenant)} and p.owner = m.owner and p.type = any (string_to_array(m.unmarked, ' '))
      and p.superseded = 'infinity' and not p.deleted) r`

/**
 * Of each mark of Provenances, the types that these may be about and of which the owner has no mark, blank-separated; of others none.
 * Records of the others have come by then, for Provenance is the last of the types in order.
 */
function unmarkedTypes(marks: readonly Mark[]): string[] {
  const marked = Map.groupBy(marks, ({ owner }) => owner)
  return marks.map(({ owner, type }) => {
    if (type !== 'Provenance') return ''
    const types = new Set(marked.get(owner)!.map((mark) => mark.type))
    return [...ownedTypes].filter((target) => !types.has(target)).join(' ')
  })
}

/** `present` is not '' in a row that tells of a record only that it is there. */
const rowOf = (row: CopyRow): PackRow & { readonly present: string } => ({
  owner: row.text(0),
  type: row.text(1),
  present: row.text(2),
  changed: row.instant(3),
  updated: row.instant(4),
  shared: row.flag(5),
  id: row.text(6),
  refs: row.text(7),
  targets: row.text(8),
  body: row.isNull(9) ? null : row.binary(9),
})

/** Packs the marks' records and gives the packs that came into the store. */
async function* packMarks(pool: Pool, marks: readonly Mark[]): AsyncGenerator<readonly Pack[]> {
  const { tenant } = marks[0]!
  const lines = new GatheredLines()
  const waiting = new Map(marks.map((mark) => [`${mark.owner} ${mark.type}`, mark]))
  let builder: PackBuilder | undefined
  let built: { readonly mark: Mark; readonly packs: readonly Pack[] }[] = []
  let linesBytes = 0
  const withProvenances = new Set(marks.filter(({ type }) => type === 'Provenance').map(({ owner }) => owner))
  let present: PresentRecords | undefined
  const finish = () => {
    if (!builder) return
    const key = `${builder.owner} ${builder.type}`
    built.push({ mark: waiting.get(key)!, packs: builder.finish() })
    waiting.delete(key)
    // It names those types without versions that come with it.
    const ofNoType = waiting.get(`${builder.owner} ${absenceType}`)
    if (ofNoType) built.push({ mark: ofNoType, packs: [] })
    waiting.delete(`${builder.owner} ${absenceType}`)
  }
  for await (const rows of copyRows(pool, rowsQuery(tenant, marks))) {
    for (const row of rows.map(rowOf)) {
      if (!builder?.isOf(row)) {
        finish()
        if (linesBytes > linesBytesMax) {
          yield await publish(pool, tenant, built)
          built = []
          linesBytes = 0
        }
        if (present?.owner !== row.owner) present = new PresentRecords(row.owner)
        builder = new PackBuilder(row.type, present, lines)
      }
      if (row.present !== '') {
        present!.add(row.present, row.id, row.changed)
        continue
      }
      if (row.body !== null && withProvenances.has(row.owner)) present!.add(row.type, row.id, row.changed)
      builder.add(row)
      linesBytes += row.body?.length ?? 0
    }
  }
  finish()
  const empty = [...waiting.values()].map((mark) => ({
    mark,
    packs: mark.type === absenceType ? [] : new PackBuilder(mark.type, new PresentRecords(mark.owner), lines).finish(),
  }))
  yield await publish(pool, tenant, [...built, ...empty])
}

/** Only marks that still name the same change, and that no writer holds: what came later is not in the packs. */
const takeMarksSql = `
  delete from unpacked
  using (
    select u.ctid as mark from unnest($2::text[], $3::text[], $4::bigint[]) as m(owner, type, change)
    cross join lateral (
      select ctid from unpacked where tenant = $1 and owner = m.owner and type = m.type and change = m.change
      offset 0 for update skip locked) u) found
  where ctid = found.mark
  returning owner, type`

const clearSql = `
  delete from pack
  using (
    select p.ctid as row from unnest($2::text[], $3::text[]) as m(owner, type)
    cross join lateral (select ctid from pack where tenant = $1 and owner = m.owner and type = m.type offset 0) p) found
  where ctid = found.row`

/** Puts packs into the store, those of which nothing has changed since they were read. A crash may undo it: as a whole. */
async function publish(
  pool: Pool,
  tenant: string,
  built: readonly { readonly mark: Mark; readonly packs: readonly Pack[] }[],
): Promise<readonly Pack[]> {
  const packs = built.flatMap((each) => each.packs)
  return transaction(pool, async (client) => {
    await client.query('set local synchronous_commit = off')
    const marks = built.map(({ mark }) => mark)
    const { rows } = await client.query<{ owner: string; type: string }>(takeMarksSql, [
      tenant,
      marks.map(({ owner }) => owner),
      marks.map(({ type }) => type),
      marks.map(({ change }) => change),
    ])
    const taken = new Set(rows.map(({ owner, type }) => `${owner} ${type}`))
    const named = new Set(rows.filter(({ type }) => type === absenceType).map(({ owner }) => owner))
    // An owner's pack of no type will name the types without versions.
    const isNamed = ({ owner, changed }: Pack) => changed === Number.NEGATIVE_INFINITY && named.has(owner)
    const kept = packs.filter((pack) => taken.has(`${pack.owner} ${pack.type}`) && !isNamed(pack))
    // There are none, unless somebody has changed rows by hand: then they must not stand in the way.
    await client.query(clearSql, [tenant, rows.map(({ owner }) => owner), rows.map(({ type }) => type)])
    await insertPacks(client, tenant, kept)
    const ofNoType = await absencePacks(client, tenant, [...named])
    await insertPacks(client, tenant, ofNoType)
    return [...kept, ...ofNoType]
  })
}
