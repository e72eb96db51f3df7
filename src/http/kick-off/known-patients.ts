import type { Pool } from 'pg'
import { isTargetType, type ResourceType } from '../../fhir/resource-types.ts'
import type { ExportRequest } from '../../protocol/request/export-request.ts'
import { readTest } from '../../protocol/request/filters.ts'
import { currentBodies, existingPatients } from '../../records/read.ts'
import type { Caller } from '../caller.ts'

/**
 * Those of the patients that the caller may know of (O-9). They are the tenant's patients; whether their Patient records may be read
 * does not matter when other records of them are exported (T-56). Where the export is about Patient records alone, or these and Groups,
 * for which whoever exports a Group has the scope, and granular scopes let read only some, the others are unknown to the caller: it is
 * not told that they exist.
 * A patient who was deleted after `_since` is known to an export that tells deletions (T-185).
 */
export async function knownPatients(
  pool: Pool,
  { grant, tenant, base }: Caller,
  { types, deletions, since }: Pick<ExportRequest, 'types' | 'deletions' | 'since'>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const readable = grant.readable('Patient')
  if (typeof readable === 'string' || types.some(tellsOfPatients)) {
    return existingPatients(pool, tenant, ids, deletions?.length ? since : undefined)
  }
  const test = readTest(readable, { base, now: new Date() })
  const known = new Set<string>()
  for await (const patients of currentBodies(pool, tenant, 'Patient', ids)) {
    for (const { id, body } of patients) if (test(body)) known.add(id)
  }
  return known
}

const tellsOfPatients = (type: ResourceType): boolean => !['Patient', 'Group'].includes(type) && isTargetType(type)
