import { isObject } from './json/json-object.ts'
import { NamedMembers } from './json/named-members.ts'
import { type LocalReference, localReference } from './reference.ts'

const members = new NamedMembers(['securityContext'])

/**
 * The record that decides who may read a Binary (FHIR R4, Binary.securityContext). A patient of this tenant decides nothing: the Binary is a record
 * of theirs. What names a record elsewhere, or none by a reference, cannot be read: whoever it was to protect is not known.
 * @param body a stored line; a long one is not parsed
 */
export function securityContextOf(body: Buffer, bases: readonly string[]): LocalReference | 'none' | 'unreadable' {
  const context = members.find(body, 0, body.length)
    ? JSON.parse(body.toString('utf8', members.starts[0]!, members.ends[0]!) || 'null')
    : JSON.parse(body.toString()).securityContext
  if (context === undefined || context === null) return 'none'
  if (!isObject(context) || typeof context.reference !== 'string') return 'unreadable'
  const target = localReference(context.reference, bases)
  if (target === undefined) return 'unreadable'
  return target.type === 'Patient' ? 'none' : target
}
