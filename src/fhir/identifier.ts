import type { JsonObject } from './json/json-object.ts'

/** A business identifier: what a record is known by outside of any server. */
export interface Identifier {
  /** '' where it has none. */
  readonly system: string
  readonly value: string
}

/**
 * The identifiers of a resource, in the order of its element `identifier`, which is a list in most types and one object in some. One
 * without a value identifies nothing and is left out.
 */
export function identifiersOf({ identifier }: JsonObject): Identifier[] {
  if (identifier === undefined) return []
  return (Array.isArray(identifier) ? identifier : [identifier]).flatMap((item) => identifierOf(item) ?? [])
}

function identifierOf(item: unknown): Identifier | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  const { system = '', value } = item as JsonObject
  return typeof system === 'string' && typeof value === 'string' ? { system, value } : undefined
}
