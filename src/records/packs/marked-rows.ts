import type { Pool } from 'pg'
import type { CopyRow } from '../copy/copied-row.ts'
import { copyRows } from '../copy/copy-out.ts'
import { text, textArray } from '../sql-literal.ts'
import { typesOfOwner } from '../types-of-owner.ts'
import type { PackRow } from './build/pack-builder.ts'
import type { Mark } from './marks.ts'

/** A version of a record of a mark, or the news that another record of the owner is there, or is deleted. */
export interface MarkedRow extends PackRow {
  /** The type of the other record, of which the row tells its id and when it came or went; '' when the row is a version. */
  readonly other: string
  /** The other record is deleted. */
  readonly deleted: boolean
}

/**
 * All versions of the marks' records that are still there, in the order of the marks and of the ids; only current ones with their text,
 * which is a view of bytes that are overwritten when the next rows are asked for. With the Provenances of an owner come those records that
 * they may be about, of types without a mark, deleted ones too; those of the others have come by then, for Provenances are the last of an owner's marks.
 * @param marks of one tenant
 */
export async function* readMarkedRows(pool: Pool, marks: readonly Mark[]): AsyncGenerator<MarkedRow[]> {
  for await (const rows of copyRows(pool, rowsQuery(marks))) yield rows.map(rowOf)
}

/** PackBuilder joins Provenances and what they are about: for one record that takes a tenth of what a look-up in the database takes. */
function rowsQuery(marks: readonly Mark[]): string {
  const tenant = text(marks[0]!.tenant)
  return `
    select r.* from unnest(
      ${textArray(marks.map(({ owner }) => owner))}, ${textArray(marks.map(({ type }) => type))}, ${textArray(markedTypes(marks))})
      as m(owner, type, marked)
    cross join lateral (
      (select p.owner, p.type, '' as other, p.deleted, greatest(p.written, nullif(p.superseded, 'infinity')), p.updated, p.shared, p.id, p.refs,
        p.targets, case when p.superseded = 'infinity' then p.body end
      from record as p
      where p.tenant = ${tenant} and p.owner = m.owner and p.type = m.type order by p.id)
      union all
      select p.owner, m.type, p.type, p.deleted, p.written, p.updated, p.shared, p.id, '', '', null
      from record as p
      where m.type = 'Provenance' and p.tenant = ${tenant} and p.owner = m.owner
        and p.type = any (array(
          select type from ${typesOfOwner(tenant, 'm.owner')} as type where type <> all (string_to_array(m.marked, ' '))))
        and p.superseded = 'infinity') r`
}

/** Of each mark of Provenances, the types of which the owner has a mark, blank-separated. */
function markedTypes(marks: readonly Mark[]): string[] {
  const marked = Map.groupBy(marks, ({ owner }) => owner)
  return marks.map(({ owner, type }) =>
    type === 'Provenance'
      ? marked
          .get(owner)!
          .map((mark) => mark.type)
          .join(' ')
      : '',
  )
}

const rowOf = (row: CopyRow): MarkedRow => ({
  owner: row.text(0),
  type: row.text(1),
  other: row.text(2),
  deleted: row.flag(3),
  changed: row.instant(4),
  updated: row.instant(5),
  shared: row.flag(6),
  id: row.text(7),
  refs: row.text(8),
  targets: row.text(9),
  body: row.isNull(10) ? null : row.binary(10),
})
