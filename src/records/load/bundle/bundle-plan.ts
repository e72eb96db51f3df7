import { createHash } from 'node:crypto'
import { type BundleEntry, readEntries } from '../../../fhir/bundle/bundle-entries.ts'
import { endOf } from '../../../fhir/bundle/bundle-identities.ts'
import { type IdentifierQuery, readIdentifierSearch } from '../../../fhir/bundle/identifier-query.ts'
import { isId, isTypeName } from '../../../fhir/reference.ts'
import { type Key, keyOf } from '../../current.ts'

/** What one entry of a Bundle asks for. */
export type PlannedEntry = PlannedPut | PlannedDelete

/** A record with the id that it gets. */
export interface PlannedPut {
  readonly kind: 'put'
  readonly index: number
  readonly fullUrl: string | undefined
  /** `Type/id` as the source states it, where it does. */
  readonly stated: string | undefined
  /** The URL by which others know a definition: it stays, whatever else it may seem to be. */
  readonly canonical: string | undefined
  readonly key: Key
  readonly resource: string
  /** A POST: its id is none of the store, so whoever has it already is another record. */
  readonly onlyNew: boolean
  /** Whether its id counts even if it cannot be loaded: what refers to it means that record, wherever it is. */
  readonly isBelieved: boolean
  readonly ifNoneExist: IdentifierQuery | undefined
}

export interface PlannedDelete {
  readonly kind: 'delete'
  readonly index: number
  readonly fullUrl: string | undefined
  readonly key: Key
}

/** An entry that cannot be loaded. */
export interface RefusedEntry {
  readonly index: number
  readonly reason: string
  readonly lost: readonly LostEntry[]
}

/** How others may name the record that a refused POST or PUT would have become; what names it must not end at another record. */
export interface LostEntry {
  readonly index: number
  readonly fullUrl: string | undefined
  readonly stated: string | undefined
  /** Of a PUT: the record of the store that it asked for. */
  readonly key?: string
}

/** What a Bundle asks for, in the order in which it is to be done. */
export interface BundlePlan {
  readonly entries: readonly PlannedEntry[]
  readonly refused: readonly RefusedEntry[]
  /** Entries that say how a search or request went, and are no records. */
  readonly outcomes: number
}

/** Types of Bundles that answer a request: they say what became of records, and are not these records. */
const answerTypes: ReadonlySet<unknown> = new Set(['transaction-response', 'batch-response'])

/** The other types of R4. The type says whose ids count, so none is guessed. */
const loadableTypes = ['transaction', 'batch', 'history', 'collection', 'searchset', 'document', 'message'] as const

/**
 * Reads what the entries of a Bundle ask for.
 * @param text one that is JSON
 * @returns why the Bundle cannot be taken apart, as a text
 */
export function planBundle(text: string, type: unknown): BundlePlan | string {
  if (answerTypes.has(type)) return `a ${type} is an answer of a server; load the Bundle that was sent, or records`
  if (!loadableTypes.some((known) => known === type)) {
    return `the type of the Bundle is missing, or none of ${loadableTypes.join(', ')}`
  }
  const { entries, twice } = readEntries(text)
  if (twice !== undefined) return `a member stands twice in ${twice}, so it says two things`
  if (!entries) return 'entry is not an array, or nested too deep'
  const digest = lazily(() => createHash('sha256').update(text).digest())
  const planned: PlannedEntry[] = []
  const refused: RefusedEntry[] = []
  let outcomes = 0
  for (const entry of type === 'history' ? entries.toReversed() : entries) {
    const found = planEntry(entry, type, digest)
    if (found === 'outcome') outcomes++
    else if (typeof found === 'string')
      refused.push({ index: entry.index, reason: found, lost: isRequest(type) ? lostBy(entry) : [] })
    else planned.push(found)
  }
  return { entries: planned, refused, outcomes }
}

function planEntry(entry: BundleEntry, type: unknown, digest: () => Buffer): PlannedEntry | 'outcome' | string {
  const { method } = entry.request
  if (method === 'DELETE') return planDelete(entry)
  if (entry.resource === undefined) return 'no resource'
  const resource = JSON.parse(entry.resource) as { resourceType?: unknown; id?: unknown; url?: unknown } | null
  if (resource?.resourceType === 'OperationOutcome' && resource.id === undefined) return 'outcome'
  if (!isTypeName(resource?.resourceType)) return 'resourceType is missing, or not the name of a resource type'
  const { resourceType, id, url } = resource
  // In a history every id is the store's own, whichever request made the version.
  const isAsked = isRequest(type)
  if (isAsked && method !== undefined && method !== 'POST' && method !== 'PUT') {
    return 'only POST, PUT and DELETE can be loaded'
  }
  const named = isAsked && method === 'PUT' ? targetOf(entry) : undefined
  if (typeof named === 'string') return named
  if (named && (named.type !== resourceType || (id !== undefined && id !== named.id))) {
    return 'the resource is not the one that request.url names'
  }
  const isPost = isAsked && method === 'POST'
  if (isPost && !isTypeUrl(entry, resourceType)) return 'request.url is not the type of the resource'
  const own = isPost ? undefined : (named?.id ?? id ?? restfulId(entry.fullUrl, resourceType))
  const given = own ?? givenId(entry, digest)
  if (!isId(given)) return 'id must be 1 to 64 letters, digits, hyphens or dots'
  const ifNoneExist = isPost ? conditionOf(entry, resourceType) : undefined
  if (typeof ifNoneExist === 'string') return ifNoneExist
  return {
    kind: 'put',
    index: entry.index,
    fullUrl: entry.fullUrl,
    stated: typeof id === 'string' ? `${resourceType}/${id}` : endOf(entry.fullUrl),
    canonical: typeof url === 'string' ? url : undefined,
    key: { type: resourceType, id: given },
    resource: entry.resource,
    onlyNew: isPost,
    isBelieved: !isAsked && own !== undefined,
    ifNoneExist,
  }
}

const isRequest = (type: unknown): boolean => type === 'transaction' || type === 'batch'

/** Methods that make no record, so that nobody can have meant what they made. */
const makesNone: ReadonlySet<unknown> = new Set(['DELETE', 'GET', 'HEAD', 'PATCH'])

function lostBy(entry: BundleEntry): LostEntry[] {
  const { index, request, fullUrl, resource } = entry
  if (makesNone.has(request.method)) return []
  const { resourceType, id } = (JSON.parse(resource ?? '{}') ?? {}) as { resourceType?: unknown; id?: unknown }
  const own = typeof id === 'string' ? `${resourceType}/${id}` : undefined
  const lost: LostEntry[] = [{ index, fullUrl, stated: own ?? endOf(fullUrl) }]
  if (request.method === 'POST') return lost
  const target = targetOf(entry)
  const named = typeof target === 'string' ? [] : [keyOf(target)]
  for (const key of new Set([...named, ...(own === undefined ? [] : [own])]))
    lost.push({ index, fullUrl: undefined, stated: key, key })
  return lost
}

/** Deletions of exports name `Type/id`; others may lead with a base, or say the type in the fullUrl alone. */
function planDelete(entry: BundleEntry): PlannedDelete | string {
  const key = targetOf(entry)
  return typeof key === 'string' ? key : { kind: 'delete', index: entry.index, fullUrl: entry.fullUrl, key }
}

function targetOf({ request: { url }, fullUrl }: BundleEntry): Key | string {
  if (typeof url !== 'string') return 'no request.url'
  if (url.includes('?')) return 'a request.url with a query cannot be loaded; name the record by Type/id'
  const parts = url.split('/')
  const id = parts.at(-1)
  const type = parts.length > 1 ? parts.at(-2) : fullUrl?.split('/').at(-2)
  return isTypeName(type) && isId(id) ? { type, id } : 'request.url must be Type/id'
}

const isTypeUrl = ({ request: { url } }: BundleEntry, type: string): boolean =>
  url === undefined || (typeof url === 'string' && url.replace(/\/$/, '').split('/').at(-1) === type)

function conditionOf({ request: { ifNoneExist } }: BundleEntry, type: string): IdentifierQuery | undefined | string {
  if (ifNoneExist === undefined) return undefined
  const query = readIdentifierSearch(type, String(ifNoneExist))
  return 'unusable' in query ? `ifNoneExist cannot be looked up. ${query.unusable}` : query
}

/** The id that a RESTful fullUrl has for a resource that does not repeat it. */
function restfulId(fullUrl: string | undefined, type: string): string | undefined {
  const [named, id] = endOf(fullUrl)?.split('/') ?? []
  return named === type ? id : undefined
}

/**
 * The id of an entry that has none of its own: the UUID of its fullUrl, or else one that only this entry of this very Bundle gets, so
 * that loading it again finds the same record.
 */
function givenId({ fullUrl, index }: BundleEntry, digest: () => Buffer): string {
  const [, uuid] = /^urn:uuid:(.+)$/i.exec(fullUrl ?? '') ?? []
  if (uuid !== undefined) return uuid.toLowerCase()
  const hex = createHash('sha256').update(digest()).update(String(index)).digest('hex')
  // Of version 8: a UUID of one's own making (RFC 9562).
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function lazily<Value>(make: () => Value): () => Value {
  let made: Value | undefined
  return () => {
    made ??= make()
    return made
  }
}
