import type { Pool } from 'pg'
import { resolutionsIn } from '../../../fhir/bundle/same-but-resolved.ts'
import { type Key, keyOf } from '../../current.ts'
import { currentTexts } from '../../read.ts'

/** A record as it came: `text` is that of the resource, with its references by identifier. */
export interface RecordAsItCame extends Key {
  readonly text: string
}

/**
 * Those of the records, by `Type/id`, that stand in the store as what their texts became when they were loaded before. Who asks for them
 * finds them as they are; writing them as they came would undo for a while what was resolved.
 */
export async function standingRecords(
  pool: Pool,
  tenant: string,
  records: readonly RecordAsItCame[],
): Promise<ReadonlySet<string>> {
  const stored = await currentTexts(pool, tenant, records)
  const standing = records.filter((record) => {
    const body = stored.get(keyOf(record))
    return body !== undefined && resolutionsIn(body, record.text, record.id) !== undefined
  })
  return new Set(standing.map(keyOf))
}
