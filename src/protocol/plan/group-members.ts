import type { JsonObject } from '../../fhir/ownership.ts'
import { localReference } from '../../fhir/reference.ts'

/** What a Group says about who is in it. */
export interface GroupMembers {
  /** Ids of member patients. */
  readonly patients: readonly string[]
  /** Ids of member Groups. */
  readonly groups: readonly string[]
}

/**
 * The active members of a Group that are patients or Groups of the tenant. Inactive members are left out, and so are those of other
 * types (Practitioner, Device, …): they have no records to export.
 */
export function groupMembers(group: JsonObject, bases: readonly string[]): GroupMembers {
  const patients = new Set<string>()
  const groups = new Set<string>()
  for (const member of Array.isArray(group.member) ? group.member : []) {
    const { entity, inactive } = (member ?? {}) as { entity?: { reference?: unknown }; inactive?: unknown }
    if (inactive === true || typeof entity?.reference !== 'string') continue
    const target = localReference(entity.reference, bases)
    if (target?.type === 'Patient') patients.add(target.id)
    if (target?.type === 'Group') groups.add(target.id)
  }
  return { patients: [...patients], groups: [...groups] }
}
