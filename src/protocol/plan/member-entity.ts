import { type IdentifierQuery, isConditional, readIdentifierQuery } from '../../fhir/bundle/identifier-query.ts'
import { isObject, type JsonObject } from '../../fhir/json/json-object.ts'
import { type LocalReference, localReference } from '../../fhir/reference.ts'
import type { UnresolvedMember } from './unresolved-members.ts'

/** Types of `Group.type` whose members are patients, when they do not say their type themselves. */
const patientKinds: ReadonlySet<unknown> = new Set(['person', 'animal', undefined])

/**
 * Whom `member.entity` means: a patient or Group of the tenant, one that has an identifier, or nobody whom the store could know. A
 * reference counts before an identifier beside it.
 * @param kind `Group.type`
 */
export function readEntity(
  entity: unknown,
  kind: unknown,
  bases: readonly string[],
): LocalReference | IdentifierQuery | UnresolvedMember {
  if (!isObject(entity)) return 'unusable'
  if (typeof entity.reference !== 'string') return readIdentifier(entity, kind)
  const target = localReference(entity.reference, bases)
  if (target !== undefined) return isMember(target.type) ? target : 'other-type'
  if (!isConditional(entity.reference)) return 'elsewhere'
  const query = readIdentifierQuery(entity.reference)
  if ('unusable' in query) return 'unusable'
  return isMember(query.type) ? query : 'other-type'
}

function readIdentifier(entity: JsonObject, kind: unknown): IdentifierQuery | UnresolvedMember {
  const { identifier } = entity
  if (!isObject(identifier) || typeof identifier.value !== 'string' || identifier.value === '') return 'unusable'
  const { system = '', value } = identifier
  if (typeof system !== 'string') return 'unusable'
  const type = entity.type ?? (patientKinds.has(kind) ? 'Patient' : undefined)
  return typeof type === 'string' && isMember(type) ? { type, system, value } : 'other-type'
}

const isMember = (type: string): boolean => type === 'Patient' || type === 'Group'
