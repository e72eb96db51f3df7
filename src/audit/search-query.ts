import { cutPrefix } from '../filter/match/date.ts'
import { spanOf } from '../filter/match/span.ts'
import { quoted } from '../protocol/client-text.ts'
import { type Problem, problem } from '../protocol/problem.ts'
import type { QueryString } from '../protocol/request/parse-request.ts'

/** Entries of one page: when nothing is said, and at most. */
export const auditPageDefault = 50
export const auditPageMax = 500

/** A search of the audit trail. Times are milliseconds since 1970: `from` is included, `to` is not. `after` is the entry shown last. */
export interface AuditQuery {
  readonly from?: number
  readonly to?: number
  readonly count: number
  readonly after?: { readonly recorded: number; readonly number: number }
}

/** The parameters that an AuditEvent search takes; `page` stands in the link to the next page. */
const parameterNames = ['date', '_count', 'page']

/** Reads the query of an AuditEvent search, or tells everything that is wrong with it: nothing is ignored. */
export function parseAuditQuery(query: QueryString): AuditQuery | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  for (const name of Object.keys(query)) {
    if (parameterNames.includes(name)) continue
    const text = `The search parameter ${quoted(name)} is not supported.`
    problems.push(problem(400, 'not-supported', text, { diagnostics: `Supported: date, _count.` }))
  }
  const period = readPeriod([query.date ?? []].flat(), problems)
  const count = readCount(query._count, problems)
  const after = readPlace(query.page, problems)
  return problems.length > 0 ? { problems } : { ...period, count, ...(after === undefined ? {} : { after }) }
}

/** The text of a place for the link to the next page. */
export const placeText = ({ recorded, number }: { readonly recorded: number; readonly number: number }): string =>
  `${recorded}-${number}`

/** Several dates must all hold: the latest beginning and the earliest end count. */
function readPeriod(dates: readonly string[], problems: Problem[]): { from?: number; to?: number } {
  let from = Number.NEGATIVE_INFINITY
  let to = Number.POSITIVE_INFINITY
  for (const text of dates) {
    // A plus sign that was not percent-encoded has become a blank.
    const { prefix, rest } = cutPrefix(text.replaceAll(' ', '+'))
    const span = spanOf(rest)
    if (span === undefined || prefix === 'ne' || prefix === 'ap') {
      const diagnostics =
        'Allowed: an optional eq, gt, ge, lt, le, sa or eb, and a date such as 2026-11 or 2026-11-23T08:30:00Z.'
      problems.push(problem(400, 'value', `date ${quoted(text)} cannot be used.`, { diagnostics }))
      continue
    }
    if (prefix === 'eq' || prefix === 'ge') from = Math.max(from, msOf(span.from))
    if (prefix === 'gt' || prefix === 'sa') from = Math.max(from, msOf(span.to))
    if (prefix === 'eq' || prefix === 'le') to = Math.min(to, msOf(span.to))
    if (prefix === 'lt' || prefix === 'eb') to = Math.min(to, msOf(span.from))
  }
  return { ...(from === Number.NEGATIVE_INFINITY ? {} : { from }), ...(to === Number.POSITIVE_INFINITY ? {} : { to }) }
}

/** Entries have whole milliseconds: the first one that is not before the instant. */
const msOf = (nanoseconds: bigint): number => {
  const ms = nanoseconds / 1_000_000n
  return Number(ms * 1_000_000n < nanoseconds ? ms + 1n : ms)
}

function readCount(text: QueryString[string], problems: Problem[]): number {
  if (text === undefined) return auditPageDefault
  const count = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (count > 0) return Math.min(count, auditPageMax)
  problems.push(
    problem(400, 'value', '_count must be one whole number above 0.', {
      diagnostics: `At most ${auditPageMax} are given.`,
    }),
  )
  return 0
}

function readPlace(text: QueryString[string], problems: Problem[]): AuditQuery['after'] {
  if (text === undefined) return undefined
  const [, recorded, number] = (typeof text === 'string' && /^(\d{1,15})-(\d{1,15})$/.exec(text)) || []
  if (recorded !== undefined) return { recorded: Number(recorded), number: Number(number) }
  problems.push(
    problem(400, 'value', 'page is not one that this server has given.', { diagnostics: 'Follow the link "next".' }),
  )
  return undefined
}
