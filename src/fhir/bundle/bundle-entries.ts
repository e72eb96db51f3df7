import { itemsOf, type Member, membersOf, repeatedKey } from '../json/json-text.ts'

/** One entry of a Bundle as text, so that its resource is stored to the letter. */
export interface BundleEntry {
  readonly index: number
  readonly fullUrl: string | undefined
  /** The text of `entry.resource`, undefined when there is none. */
  readonly resource: string | undefined
  readonly request: {
    readonly method?: unknown
    readonly url?: unknown
    readonly ifMatch?: unknown
    readonly ifNoneExist?: unknown
  }
}

/** A Bundle as text, whose entries are not read yet. */
export interface OpenBundle {
  readonly resourceType: unknown
  readonly type: unknown
  /** Where each entry stands in the text; undefined when `entry` is no array, or nests too deep. */
  readonly items: readonly (readonly [start: number, end: number])[] | undefined
  /** A member stands twice. */
  readonly isTwice: boolean
  /** A member nests too deep: nothing else is known of the Bundle. */
  readonly isTooDeep: boolean
}

/** Opens what JSON.parse accepts, which may be no Bundle. */
export function openBundle(text: string): OpenBundle {
  const members = text.trimStart().startsWith('{') ? membersOf(text) : []
  if (!members) return { resourceType: undefined, type: undefined, items: undefined, isTwice: false, isTooDeep: true }
  const value = (key: string): unknown => {
    const member = members.find((candidate) => candidate.key === key)
    return member && JSON.parse(text.slice(member.valueStart, member.valueEnd))
  }
  const entry = members.find((member) => member.key === 'entry')
  const items = entry && (text[entry.valueStart] === '[' ? itemsOf(text, entry.valueStart) : undefined)
  return {
    resourceType: value('resourceType'),
    type: value('type'),
    items: entry ? items : [],
    isTwice: hasTwice(members),
    isTooDeep: false,
  }
}

/** What a Bundle asks for. */
export interface BundleEntries {
  /** Undefined when `entry` is no array, or an entry nests too deep. */
  readonly entries: readonly BundleEntry[] | undefined
  /**
   * Where a member stands twice, for people, `Bundle` or `Bundle.entry[3]`: in the Bundle itself, in an entry, or in the request of one.
   * Parsers differ in which of the two they believe, so nobody can say what is asked. Resources are looked at when they are read.
   */
  readonly twice: string | undefined
}

/** Reads the entries of a Bundle. */
export function readEntries(text: string, { items, isTwice } = openBundle(text)): BundleEntries {
  if (isTwice) return { entries: undefined, twice: 'Bundle' }
  const found = items?.map(([start, end]) => (text[start] === '{' ? entryMembers(text.slice(start, end)) : nothing))
  const twice = found?.findIndex((each) => each.isTwice) ?? -1
  return {
    entries: found?.map(({ entry }, index) => ({ ...entry, index })),
    twice: twice < 0 ? undefined : `Bundle.entry[${twice}]`,
  }
}

interface ReadEntry {
  readonly entry: Omit<BundleEntry, 'index'>
  readonly isTwice: boolean
}

const nothing: ReadEntry = { entry: { fullUrl: undefined, resource: undefined, request: {} }, isTwice: false }

function entryMembers(text: string): ReadEntry {
  const members = membersOf(text) ?? []
  const value = (key: string): string | undefined => {
    const member = members.find((candidate) => candidate.key === key)
    return member && text.slice(member.valueStart, member.valueEnd)
  }
  const requestText = value('request') ?? '{}'
  const request = JSON.parse(requestText) as unknown
  const fullUrl = JSON.parse(value('fullUrl') ?? 'null') as unknown
  return {
    entry: {
      fullUrl: typeof fullUrl === 'string' ? fullUrl : undefined,
      resource: value('resource'),
      request: typeof request === 'object' && request !== null ? request : {},
    },
    isTwice: hasTwice(members) || repeatedKey(requestText) !== undefined,
  }
}

const hasTwice = (members: readonly Member[]): boolean => new Set(members.map(({ key }) => key)).size < members.length
