import { BundleIdentities, isUrn } from '../../fhir/bundle/bundle-identities.ts'
import { referencesIn, renameReferences } from '../../fhir/bundle/reference-text.ts'
import { localReference } from '../../fhir/reference.ts'
import { type Key, keyOf } from '../current.ts'
import { type Draft, draftOf, isTooLong, recordBytesMax } from '../draft.ts'
import type { PlannedDelete, PlannedEntry, PlannedPut, RefusedEntry } from './bundle-plan.ts'

/** A record of a Bundle as it will be written. `text` is the resource with the names that its Bundle gives it. */
export interface BundlePut {
  readonly entry: PlannedPut
  readonly draft: Draft
  readonly text: string
  /** URNs that no entry of the Bundle has. */
  readonly lostUrns: number
}

/** The changes of a Bundle in order. */
export interface BundleDrafts {
  readonly changes: readonly (BundlePut | PlannedDelete)[]
  readonly refused: readonly RefusedEntry[]
  /** The bases that its references are told by. */
  readonly bases: readonly string[]
}

/**
 * Makes the records of a Bundle from its entries: says who is who, and names them in the texts.
 * @param found entries that are no records of their own, since one of the store is meant, with that one
 * @returns why the Bundle cannot be loaded, as a text
 */
export function bundleDrafts(
  entries: readonly PlannedEntry[],
  found: ReadonlyMap<PlannedEntry, Key>,
  isHistory: boolean,
  bases: readonly string[],
): BundleDrafts | string {
  const identities = new BundleIdentities(
    entries.map((entry) => ({
      fullUrl: entry.fullUrl,
      stated: entry.kind === 'put' ? entry.stated : undefined,
      key: keyOf(found.get(entry) ?? entry.key),
    })),
  )
  if (!isHistory && identities.duplicates.length > 0) {
    return `two entries have the same fullUrl (bdl-7): ${sameFullUrl(entries)}`
  }
  const allBases = [...bases, ...identities.roots]
  const changes: (BundlePut | PlannedDelete)[] = []
  const refused: RefusedEntry[] = []
  for (const entry of entries) {
    if (entry.kind === 'delete') changes.push(entry)
    else if (!found.has(entry)) {
      if (referencesIn(entry.resource).some((name) => identities.isAmbiguous(name, entry.fullUrl))) {
        return `${nameOf(entry)} refers to an id that two entries state; refer to their fullUrls`
      }
      const put = putOf(entry, identities, allBases)
      if ('reason' in put) refused.push(put)
      else changes.push(put)
    }
  }
  return { changes, refused, bases: allBases }
}

function putOf(entry: PlannedPut, identities: BundleIdentities, bases: readonly string[]): BundlePut | RefusedEntry {
  let lostUrns = 0
  const text = renameReferences(entry.resource, (name, place) => {
    const meant = identities.resolve(name, entry.fullUrl)
    if (meant === undefined) {
      if (place === 'reference' && isUrn(name)) lostUrns++
      return undefined
    }
    const said = localReference(name, bases)
    return said && keyOf(said) === meant ? undefined : meant
  })
  const draft = draftOf(text, bases, entry.key.id)
  if ('fault' in draft) return { index: entry.index, reason: draft.fault }
  if (isTooLong(draft)) return { index: entry.index, reason: `longer than ${recordBytesMax} bytes` }
  return { entry, draft, text, lostUrns }
}

function sameFullUrl(entries: readonly PlannedEntry[]): string {
  const first = new Map<string, PlannedEntry>()
  for (const entry of entries) {
    const url = entry.fullUrl?.toLowerCase() ?? ''
    const other = first.get(url)
    if (url !== '' && other) return `${nameOf(other)} and ${nameOf(entry)}`
    first.set(url, entry)
  }
  return 'none'
}

/** For people: an entry of a Bundle. */
export const nameOf = ({ index }: { readonly index: number }): string => `entry[${index}]`
