import { BundleIdentities, isAbsolute, isUrn } from '../../../fhir/bundle/bundle-identities.ts'
import { referencesIn, renameReferences } from '../../../fhir/bundle/reference-text.ts'
import { localReference } from '../../../fhir/reference.ts'
import { type Key, keyOf } from '../../current.ts'
import { type Draft, draftOf, isTooLong, recordBytesMax } from '../../draft.ts'
import { type Bases, keyAtSource } from '../source-bases.ts'
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
}

/** Entries that one message names. */
const entriesNamedMax = 10

/** In place of the record that an entry would have become, had it not been refused. */
const lostKey = '(refused)'

/**
 * Makes the records of a Bundle from its entries: says who is who, and names them in the texts.
 * @param found entries that are no records of their own, since one of the store is meant, with that one
 * @param lost what refused entries would have been known by; who refers to one of them is refused too
 * @returns why the Bundle cannot be loaded, as a text
 */
export function bundleDrafts(
  entries: readonly PlannedEntry[],
  found: ReadonlyMap<PlannedEntry, Key>,
  lost: readonly Pick<PlannedPut, 'fullUrl' | 'stated'>[],
  isHistory: boolean,
  bases: Bases,
): BundleDrafts | string {
  const named = entries.map((entry) => ({
    fullUrl: entry.fullUrl,
    stated: entry.kind === 'put' ? entry.stated : undefined,
    key: keyOf(found.get(entry) ?? entry.key),
  }))
  const identities = new BundleIdentities([...named, ...lost.map((one) => ({ ...one, key: lostKey }))])
  if (!isHistory && identities.duplicates.length > 0) {
    const twice = entries.filter(({ fullUrl }) => fullUrl !== undefined && identities.isDuplicate(fullUrl))
    return `entries have the same fullUrl (bdl-7): ${twice.slice(0, entriesNamedMax).map(nameOf).join(', ')}`
  }
  const names: Names = {
    identities,
    canonicals: new Set(entries.flatMap((entry) => (entry.kind === 'put' ? (entry.canonical ?? []) : []))),
    bases: { own: bases.own, source: [...bases.source, ...identities.roots] },
  }
  const changes: (BundlePut | PlannedDelete)[] = []
  const refused: RefusedEntry[] = []
  for (const entry of entries) {
    if (entry.kind === 'delete') changes.push(entry)
    else if (!found.has(entry)) {
      if (referencesIn(entry.resource).some((name) => identities.isAmbiguous(name, entry.fullUrl))) {
        return `${nameOf(entry)} refers to an id that two entries state; refer to their fullUrls`
      }
      const put = putOf(entry, names)
      if ('reason' in put) refused.push(put)
      else changes.push(put)
    }
  }
  return { changes, refused }
}

/** Who is who for the references of a Bundle. */
interface Names {
  readonly identities: BundleIdentities
  readonly canonicals: ReadonlySet<string>
  readonly bases: Bases
}

function putOf(entry: PlannedPut, { identities, canonicals, bases }: Names): BundlePut | RefusedEntry {
  let lostUrns = 0
  let refersToLost = false
  const text = renameReferences(entry.resource, (name, place) => {
    const meant = identities.resolve(name, entry.fullUrl)
    if (meant === undefined) {
      if (place !== 'reference') return undefined
      if (isUrn(name)) lostUrns++
      return keyAtSource(name, bases)
    }
    if (meant === lostKey) {
      refersToLost = true
      return undefined
    }
    if (place === 'uri' && isAbsolute(name) && canonicals.has(name)) return undefined
    const said = localReference(name, bases.own)
    return said && keyOf(said) === meant ? undefined : meant
  })
  if (refersToLost) return { index: entry.index, reason: 'it refers to an entry that is refused' }
  const draft = draftOf(text, bases.own, entry.key.id)
  if ('fault' in draft) return { index: entry.index, reason: draft.fault }
  if (isTooLong(draft)) return { index: entry.index, reason: `longer than ${recordBytesMax} bytes` }
  return { entry, draft, text, lostUrns }
}

/** For people: an entry of a Bundle. */
export const nameOf = ({ index }: { readonly index: number }): string => `entry[${index}]`
