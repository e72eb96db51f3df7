import { KeyTable } from './json/key-table.ts'

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

const table = new KeyTable(knownKeys)

/**
 * The known key that stands in [start, end), if one does.
 * @param hash of what stands there, see `hashOfKey`
 */
export function knownKey(hash: number, bytes: Uint8Array, start: number, end: number): KnownKey | undefined {
  const index = table.indexOf(hash, bytes, start, end)
  return index < 0 ? undefined : knownKeys[index]
}
