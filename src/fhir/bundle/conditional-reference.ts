import type { JsonObject } from '../json/json-object.ts'
import { isConditional } from './identifier-query.ts'

/** Whether a resource names another one by a query, in an element `reference` at any depth. */
export function hasConditionalReference(value: JsonObject | readonly unknown[]): boolean {
  for (const name in value) {
    const member = (value as JsonObject)[name]
    if (typeof member === 'object') {
      if (member !== null && hasConditionalReference(member as JsonObject)) return true
    } else if (name === 'reference' && typeof member === 'string' && member.includes('?') && isConditional(member)) {
      return true
    }
  }
  return false
}
