import { compileFilter } from '../../filter/compile.ts'
import type { Query } from '../../filter/query.ts'
import type { Grant, GrantedQuery, Readable } from '../grant.ts'
import type { ExportRequest, Filters } from './export-request.ts'

/** The filters of a job, frozen at kick-off: what is asked for, and of that only what the scopes let read (§10). */
export function effectiveFilters(
  types: readonly string[],
  requested: Readonly<Record<string, readonly Query[]>>,
  grant: Grant,
): Filters {
  const lists = types.map((type) => {
    const readable = grant.readable(type)
    if (readable === 'none') throw new Error(`${type} may not be exported`)
    const granted = readable === 'all' ? [] : [readable]
    return [type, [...(Object.hasOwn(requested, type) ? [requested[type]!] : []), ...granted]] as const
  })
  return Object.fromEntries(lists.filter(([, of]) => of.length > 0))
}

/** A test of stored records of one type, by their text: whether they may be read. `now` is what `ap` measures dates from. */
export function readTest(readable: Readable, context: { base: string; now: Date }): (body: string) => boolean {
  if (readable === 'all') return () => true
  if (readable === 'none') return () => false
  const { matches } = compileFilter(readable, { bases: [context.base], now: context.now })
  return (body) => matches(JSON.parse(body))
}

/**
 * Whether a file may be read by a token that reads only some of its type: when one of the lists that narrowed the file has no query but
 * the token's. (A later token of the client may be narrower than the one that kicked off.)
 */
export function coversFile(readable: readonly GrantedQuery[], narrowedBy: Filters[string] = []): boolean {
  const held = new Set(readable.map(textOf))
  return narrowedBy.some((queries) => queries.every((query) => held.has(textOf(query))))
}

/**
 * Those of the types of an export, all of them if none are named, of which the caller may not read as much as was exported (D20, D20b).
 */
export function uncovered(
  { types, filters }: Pick<ExportRequest, 'types' | 'filters'>,
  grant: Grant,
  among: readonly string[] = types,
): string[] {
  return among.filter((type) => {
    const readable = grant.readable(type)
    return typeof readable === 'string' ? readable === 'none' : !coversFile(readable, filters[type])
  })
}

/**
 * Those of the types of an export whose deletions the caller may not be told: they are told only to who may read all of a type (D24), and
 * a tombstone meets no query.
 */
export const untold = ({ deletions = [] }: Pick<ExportRequest, 'deletions'>, grant: Grant): string[] =>
  deletions.filter((type) => grant.readable(type) !== 'all')

/** The same text for equal queries, in whatever order a database gives the members of an object. */
const textOf = (query: Query): string =>
  JSON.stringify(query, (_, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
