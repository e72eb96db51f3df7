/** For tests: transactions done the plain way, one entry after the other, to compare the plan of a Bundle with. */

/** A record of a small store: its identifiers, by `Type/id`. */
export type NaiveStore = ReadonlyMap<string, readonly string[]>

interface NaiveResource {
  readonly resourceType: string
  readonly id?: string
  /** Values of one system. */
  readonly identifier?: readonly { readonly system: string; readonly value: string }[]
  readonly subject?: { readonly reference: string }
}

export interface NaiveEntry {
  readonly fullUrl?: string
  readonly resource?: NaiveResource
  readonly request: { readonly method: string; readonly url: string; readonly ifNoneExist?: string }
}

/** Which record each entry is about, `new 3` for one that entry 3 creates, and what its reference becomes; undefined: it fails. */
export type NaiveResult =
  | readonly { readonly key: string | undefined; readonly reference: string | undefined }[]
  | undefined

class Fails extends Error {}

export function naiveTransaction(entries: readonly NaiveEntry[], before: NaiveStore): NaiveResult {
  try {
    return run(entries, before)
  } catch (error) {
    if (error instanceof Fails) return undefined
    throw error
  }
}

function run(entries: readonly NaiveEntry[], before: NaiveStore): NaiveResult {
  const urls = entries.flatMap(({ fullUrl }) => (fullUrl === undefined ? [] : [sameCase(fullUrl)]))
  if (new Set(urls).size < urls.length || urls.some((url) => url.includes('/_history/'))) throw new Fails()
  const { keys, written, after } = keysOf(entries, before)
  const results = entries.map(({ resource, fullUrl }, at) => {
    const reference = written.has(at) ? resource?.subject?.reference : undefined
    return { key: keys[at], reference: reference && meaning(reference, fullUrl, entries, keys, after) }
  })
  return results
}

/** Does the deletes, the creates and the updates. A condition of an update sees those before, but no other updates. */
function keysOf(entries: readonly NaiveEntry[], before: NaiveStore) {
  const keys: (string | undefined)[] = entries.map(() => undefined)
  const changed = new Set<string>()
  const written = new Set<number>()
  const change = (key: string, store: Map<string, readonly string[]>, resource: NaiveResource | undefined) => {
    if (changed.has(key)) throw new Fails()
    changed.add(key)
    if (resource === undefined) store.delete(key)
    else store.set(key, valuesOf(resource))
  }
  const remaining = new Map(before)
  for (const [at, { request }] of entries.entries()) {
    if (request.method !== 'DELETE') continue
    keys[at] = request.url.includes('?') ? find(before, request.url) : request.url
    if (keys[at] !== undefined) change(keys[at], remaining, undefined)
  }
  const created = new Map(remaining)
  for (const [at, { request, resource }] of entries.entries()) {
    if (request.method !== 'POST') continue
    const { url, ifNoneExist } = request
    keys[at] = ifNoneExist === undefined ? undefined : find(created, `${url}?${ifNoneExist}`)
    if (keys[at] !== undefined) continue
    keys[at] = `${url}/new ${at}`
    written.add(at)
    change(keys[at], created, resource)
  }
  const after = new Map(created)
  for (const [at, { request, resource }] of entries.entries()) {
    if (request.method !== 'PUT') continue
    keys[at] = updatedKey(request.url, resource!, created, at)
    written.add(at)
    change(keys[at], after, resource)
  }
  return { keys, written, after }
}

function updatedKey(url: string, resource: NaiveResource, store: NaiveStore, at: number): string {
  if (!url.includes('?')) return url
  const found = find(store, url)
  const stated = resource.id === undefined ? undefined : `${resource.resourceType}/${resource.id}`
  if (stated !== undefined && (found === undefined ? store.has(stated) : found !== stated)) throw new Fails()
  return found ?? stated ?? `${resource.resourceType}/new ${at}`
}

/** The one record that a query means, if there is any. */
function find(store: NaiveStore, query: string): string | undefined {
  const [type, condition = ''] = query.split('?')
  const found = [...store].filter(([key, values]) => key.startsWith(`${type}/`) && values.includes(valueIn(condition)))
  if (found.length > 1) throw new Fails()
  return found[0]?.[0]
}

function meaning(
  reference: string,
  from: string | undefined,
  entries: readonly NaiveEntry[],
  keys: readonly (string | undefined)[],
  after: NaiveStore,
): string {
  if (reference.includes('?')) {
    const found = find(after, reference)
    if (found === undefined) throw new Fails()
    return found
  }
  const name = reference.replace(/\/_history\/.*$/, '')
  const root = from && rootOf(from)
  const url = name.includes(':') ? name : root && `${root}/${name}`
  const isMeant = (entry: NaiveEntry) =>
    url === undefined
      ? selfNames(entry).includes(name)
      : entry.fullUrl !== undefined && sameCase(entry.fullUrl) === sameCase(url)
  const meant = entries.flatMap((entry, at) => (isMeant(entry) ? [keys[at]] : []))
  if (entries.some((entry) => isMeant(entry) && entry.request.method === 'DELETE')) throw new Fails()
  const [key] = meant
  if (new Set(meant).size > 1 || (meant.length > 0 ? key === undefined : name.startsWith('urn:'))) throw new Fails()
  return key === undefined || key === name ? reference : key
}

/** What an entry is called by those without a root: what its request names, what its resource states, what its URL ends in. */
const selfNames = ({ request, resource, fullUrl }: NaiveEntry): readonly (string | undefined)[] => [
  request.url,
  resource?.id === undefined ? undefined : `${resource.resourceType}/${resource.id}`,
  fullUrl !== undefined && rootOf(fullUrl) !== undefined ? fullUrl.split('/').slice(-2).join('/') : undefined,
]

const rootOf = (url: string): string | undefined =>
  url.startsWith('http') ? url.split('/').slice(0, -2).join('/') : undefined

const sameCase = (url: string): string => (url.toLowerCase().startsWith('urn:uuid:') ? url.toLowerCase() : url)

const valueIn = (condition: string): string => condition.split('|')[1] ?? ''

const valuesOf = ({ identifier = [] }: NaiveResource): string[] => identifier.map(({ value }) => value)
