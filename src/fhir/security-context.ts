import { isObject } from './json/json-object.ts'
import { NamedMembers } from './json/named-members.ts'
import { type LocalReference, localReference } from './reference.ts'

const members = new NamedMembers(['securityContext'])

/**
 * The record that decides who may read a Binary (FHIR R4, Binary.securityContext), if it names one of this tenant. A patient does so
 * otherwise: the Binary is a record of theirs.
 * @param body a stored line; a long one is not parsed
 */
export function securityContextOf(body: Buffer, bases: readonly string[]): LocalReference | undefined {
  const context = members.find(body, 0, body.length)
    ? JSON.parse(body.toString('utf8', members.starts[0]!, members.ends[0]!) || 'null')
    : JSON.parse(body.toString()).securityContext
  if (!isObject(context) || typeof context.reference !== 'string') return undefined
  const target = localReference(context.reference, bases)
  return target?.type === 'Patient' ? undefined : target
}
