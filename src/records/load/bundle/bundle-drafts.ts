import { BundleIdentities, endOf, isAbsolute, isUrn, withoutVersion } from '../../../fhir/bundle/bundle-identities.ts'
import { referencesIn, renameReferences } from '../../../fhir/bundle/reference-text.ts'
import { localReference } from '../../../fhir/reference.ts'
import { type Key, keyOf } from '../../current.ts'
import { type Draft, draftOf, isTooLong, recordBytesMax } from '../../draft.ts'
import { type Bases, keyAtSource } from '../source-bases.ts'
import type { LostEntry, PlannedDelete, PlannedEntry, PlannedPut, RefusedEntry } from './bundle-plan.ts'

/** A record of a Bundle as it will be written. `text` is the resource with the names that its Bundle gives it. */
export interface BundlePut {
  readonly entry: PlannedPut
  readonly draft: Draft
  readonly text: string
  /** References that nothing of the Bundle or the store can be said to be: `urn`, or the type of one under another root. */
  readonly open: readonly string[]
}

/** The changes of a Bundle in order. */
export interface BundleDrafts {
  readonly changes: readonly (BundlePut | PlannedDelete)[]
  readonly refused: readonly Pick<RefusedEntry, 'index' | 'reason'>[]
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
  lost: readonly LostEntry[],
  isHistory: boolean,
  bases: Bases,
): BundleDrafts | string {
  const named = entries.map((entry) => ({
    fullUrl: entry.fullUrl,
    stated: entry.kind === 'put' ? entry.stated : undefined,
    key: keyOf(found.get(entry) ?? entry.key),
  }))
  const gone = isHistory ? withoutVersionsOf(named, lost) : lost
  const identities = new BundleIdentities([...named, ...gone.map((one) => ({ ...one, key: lostKey }))])
  if (!isHistory && identities.duplicates.length > 0) {
    const twice = [...entries, ...gone].filter(
      ({ fullUrl }) => fullUrl !== undefined && identities.isDuplicate(fullUrl),
    )
    return `entries have the same fullUrl (bdl-7): ${twice.slice(0, entriesNamedMax).map(nameOf).join(', ')}`
  }
  const names: Names = {
    identities,
    canonicals: new Set(entries.flatMap((entry) => (entry.kind === 'put' ? (entry.canonical ?? []) : []))),
    bases,
    bundleBases: { own: bases.own, source: identities.roots },
    rooted: new Set([...entries, ...gone].flatMap(({ fullUrl }) => endOf(fullUrl) ?? [])),
  }
  const read = new Map<PlannedPut, ReadPut>()
  for (const entry of entries) {
    if (entry.kind === 'delete') continue
    const meant = found.get(entry)
    if (meant) {
      read.set(entry, { made: undefined, refersTo: new Set([keyOf(meant)]) })
      continue
    }
    if (referencesIn(entry.resource).some((name) => identities.isAmbiguous(name, entry.fullUrl))) {
      return `${nameOf(entry)} refers to an id that two entries state; refer to their fullUrls`
    }
    read.set(entry, putOf(entry, names))
  }
  const lostKeys = [lostKey, ...gone.flatMap(({ key }) => key ?? [])]
  const dependent = dependentsOf(read, lostKeys)
  const changes: (BundlePut | PlannedDelete)[] = []
  const refused: { index: number; reason: string }[] = []
  for (const entry of entries) {
    const made = entry.kind === 'delete' ? entry : read.get(entry)!.made
    if (typeof made === 'string') refused.push({ index: entry.index, reason: made })
    else if (dependent.has(entry)) {
      refused.push({ index: entry.index, reason: 'it refers to an entry that is refused' })
    } else if (made) changes.push(made)
  }
  return { changes, refused }
}

/** Of a history only what no other version names is lost. */
function withoutVersionsOf(named: readonly Pick<LostEntry, 'fullUrl' | 'stated'>[], lost: readonly LostEntry[]) {
  const known = new Set(named.flatMap(({ fullUrl, stated }) => [fullUrl, stated]))
  return lost.filter(({ fullUrl, stated }) => !known.has(fullUrl) && !known.has(stated))
}

/** What an entry became: its record, why it becomes none, or undefined where a record that is there is taken. */
interface ReadPut {
  readonly made: BundlePut | string | undefined
  /** `Type/id` of the records that it depends on. */
  readonly refersTo: ReadonlySet<string>
}

/** The entries that refer to what will not be there, and those that refer to them. */
function dependentsOf(read: ReadonlyMap<PlannedPut, ReadPut>, lostKeys: readonly string[]): ReadonlySet<PlannedEntry> {
  const referring = new Map<string, PlannedPut[]>()
  /** How many entries still make the record. */
  const makers = new Map<string, number>()
  for (const [entry, { made, refersTo }] of read) {
    if (made !== undefined) makers.set(keyOf(entry.key), (makers.get(keyOf(entry.key)) ?? 0) + 1)
    for (const key of refersTo) {
      const others = referring.get(key)
      if (others) others.push(entry)
      else referring.set(key, [entry])
    }
  }
  const lost = [...lostKeys]
  const refuse = (entry: PlannedPut) => {
    const key = keyOf(entry.key)
    const left = (makers.get(key) ?? 0) - 1
    makers.set(key, left)
    if (left === 0 && !entry.isBelieved) lost.push(key)
  }
  for (const [entry, { made }] of read) if (typeof made === 'string') refuse(entry)
  const dependent = new Set<PlannedEntry>()
  for (let key = lost.pop(); key !== undefined; key = lost.pop()) {
    for (const entry of referring.get(key) ?? []) {
      const { made } = read.get(entry)!
      if (typeof made === 'string' || dependent.has(entry)) continue
      dependent.add(entry)
      if (made) refuse(entry)
    }
  }
  return dependent
}

/** Who is who for the references of a Bundle. */
interface Names {
  readonly identities: BundleIdentities
  readonly canonicals: ReadonlySet<string>
  readonly bases: Bases
  /** With the roots of the Bundle's fullUrls in place of the bases that the operator has named. */
  readonly bundleBases: Bases
  /** `Type/id` that fullUrls end with, under whatever root: under any other root it is another record. */
  readonly rooted: ReadonlySet<string>
}

function putOf(entry: PlannedPut, names: Names): ReadPut {
  const { identities, canonicals, bases } = names
  const open: string[] = []
  const refersTo = new Set<string>()
  const text = renameReferences(entry.resource, (name, place) => {
    const meant = identities.resolve(name, entry.fullUrl)
    if (meant === undefined) {
      if (place !== 'reference') return undefined
      if (isUrn(name)) open.push('urn')
      const said = localReference(name, bases.own)
      const key = said ? keyOf(said) : keyOutside(name, names)
      if (key === 'another') {
        open.push(withoutVersion(name).split('/').at(-2)!)
        return undefined
      }
      if (key !== undefined) refersTo.add(key)
      return said ? undefined : key
    }
    if (meant === lostKey || place === 'reference') refersTo.add(meant)
    if (meant === lostKey) return undefined
    if (place === 'uri' && isAbsolute(name) && canonicals.has(name)) return undefined
    const said = localReference(name, bases.own)
    return said && keyOf(said) === meant ? undefined : meant
  })
  const draft = draftOf(text, bases.own, entry.key.id)
  if ('fault' in draft) return { made: draft.fault, refersTo }
  if (isTooLong(draft)) return { made: `longer than ${recordBytesMax} bytes`, refersTo }
  return { made: { entry, draft, text, open }, refersTo }
}

/** The record that an absolute reference to no entry means; `another` where the Bundle has one of that name under another root. */
function keyOutside(name: string, { bases, bundleBases, rooted }: Names): string | undefined {
  const key = keyAtSource(name, bases)
  if (key !== undefined) return key
  const own = keyAtSource(name, bundleBases)
  return own !== undefined && rooted.has(own) ? 'another' : own
}

/** For people: an entry of a Bundle. */
export const nameOf = ({ index }: { readonly index: number }): string => `entry[${index}]`
