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

/** The entries of a Bundle that JSON.parse has accepted; undefined when it nests too deep. */
export function entriesOf(text: string): BundleEntry[] | undefined {
  const members = membersOf(text)
  const entry = members?.find((member) => member.key === 'entry')
  if (members && !entry) return []
  if (!entry || text[entry.valueStart] !== '[') return undefined
  const items = itemsOf(text, entry.valueStart)
  return items?.map(([start, end], index) => entryOf(text.slice(start, end), index))
}

/**
 * Where a member stands twice: in the Bundle itself, in an entry, or in the request of one. Parsers differ in which of the two they
 * believe, so nobody can say what is asked. Resources are looked at when they are read.
 * @param text see `entriesOf`
 * @returns for people, `Bundle` or `Bundle.entry[3]`
 */
export function repeatedIn(text: string): string | undefined {
  const members = membersOf(text) ?? []
  if (hasTwice(members)) return 'Bundle'
  const entry = members.find((member) => member.key === 'entry')
  const items = entry && text[entry.valueStart] === '[' ? (itemsOf(text, entry.valueStart) ?? []) : []
  const at = items.findIndex(([start]) => text[start] === '{' && isAskedTwice(text, start))
  return at < 0 ? undefined : `Bundle.entry[${at}]`
}

function isAskedTwice(text: string, start: number): boolean {
  const members = membersOf(text, start) ?? []
  const request = members.find((member) => member.key === 'request')
  return hasTwice(members) || (request && repeatedKey(text.slice(request.valueStart, request.valueEnd))) !== undefined
}

const hasTwice = (members: readonly Member[]): boolean => new Set(members.map(({ key }) => key)).size < members.length

function entryOf(text: string, index: number): BundleEntry {
  const members = text.startsWith('{') ? (membersOf(text) ?? []) : []
  const value = (key: string): string | undefined => {
    const member = members.find((candidate) => candidate.key === key)
    return member && text.slice(member.valueStart, member.valueEnd)
  }
  const request = JSON.parse(value('request') ?? '{}') as unknown
  const fullUrl = JSON.parse(value('fullUrl') ?? 'null') as unknown
  return {
    index,
    fullUrl: typeof fullUrl === 'string' ? fullUrl : undefined,
    resource: value('resource'),
    request: typeof request === 'object' && request !== null ? request : {},
  }
}
