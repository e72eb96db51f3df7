import { hashOfKey } from './json-cursor.ts'

const knownKeys = [
  'reference',
  'resourceType',
  'id',
  'meta',
  'subject',
  'patient',
  'target',
  'identifier',
  'system',
  'value',
  'versionId',
  'lastUpdated',
] as const

/** A key that means something to Millrace somewhere in a resource. */
export type KnownKey = (typeof knownKeys)[number]

const knownByHash: ReadonlyMap<number, KnownKey> = new Map(knownKeys.map((key) => [hashOfKey(key), key]))

/**
 * The known key that stands in [start, end), if one does. No string is made for it.
 * @param hash of the key that stands there, see `hashOfKey`
 */
export function knownKey(hash: number, bytes: Uint8Array, start: number, end: number): KnownKey | undefined {
  const key = knownByHash.get(hash)
  if (key === undefined || key.length !== end - start) return undefined
  for (let at = 0; at < key.length; at++) if (key.charCodeAt(at) !== bytes[start + at]) return undefined
  return key
}
