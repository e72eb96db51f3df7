import type { Pool } from 'pg'
import { resolutionsIn } from '../../../fhir/bundle/same-but-resolved.ts'
import { type Key, keyOf } from '../../current.ts'

/** A record as it came: `text` is that of the resource, with its references by identifier. */
export interface RecordAsItCame extends Key {
  readonly text: string
}

const bodiesSql = `
  select r.* from unnest($2::text[], $3::text[]) as k(type, id)
  cross join lateral (
    select type, id, body from record
    where tenant = $1 and type = k.type and id = k.id and lead and superseded = 'infinity' and not deleted
    offset 0) r`

/**
 * Those of the records, by `Type/id`, that stand in the store as what their texts became when they were loaded before. Who asks for them
 * finds them as they are; writing them as they came would undo for a while what was resolved.
 */
export async function standingRecords(
  pool: Pool,
  tenant: string,
  records: readonly RecordAsItCame[],
): Promise<ReadonlySet<string>> {
  if (records.length === 0) return new Set()
  const texts = new Map(records.map((record) => [keyOf(record), record.text]))
  const { rows } = await pool.query<Key & { body: string }>(bodiesSql, [
    tenant,
    records.map(({ type }) => type),
    records.map(({ id }) => id),
  ])
  const standing = rows.filter((row) => resolutionsIn(row.body, texts.get(keyOf(row))!, row.id) !== undefined)
  return new Set(standing.map(keyOf))
}
