import { isObject } from '../../fhir/json/json-object.ts'
import type { Fault } from '../fault.ts'
import { type DateValue, type Prefix, prefixes } from '../query.ts'
import type { Datatype } from '../search-parameter.ts'
import type { Test } from './element.ts'
import { dawn, dusk, type Span, spanOf } from './span.ts'

const prefixed = new RegExp(`^(${prefixes.join('|')})?(.*)$`, 's')

/** Cuts a value into its prefix and the rest. */
export function cutPrefix(text: string): { prefix: Prefix; rest: string } {
  const [, prefix = 'eq', rest] = prefixed.exec(text)!
  return { prefix: prefix as Prefix, rest: rest! }
}

/** Reads the value of a date parameter. */
export function readDate(text: string): DateValue | Fault {
  const { prefix, rest } = cutPrefix(text)
  if (spanOf(rest) !== undefined) return { kind: 'date', prefix, date: rest }
  return {
    fault: 'is not a date',
    allowed: `an optional prefix (${prefixes.join(', ')}) and a date such as 2020, 2020-01, 2020-01-31 or 2020-01-31T08:30:00Z`,
  }
}

/** Tests an element against a date value by the interval rules of search-params §5. `now` is what `ap` measures from. */
export function dateTest({ prefix, date }: DateValue, datatype: Datatype, now: Date): Test {
  const wanted = spanOf(date)!
  const holds = comparison(prefix, prefix === 'ap' ? widened(wanted, BigInt(now.getTime()) * 1_000_000n) : wanted)
  return (element) => {
    const found = elementSpan(element, datatype)
    return found !== undefined && holds(found)
  }
}

function comparison(prefix: Prefix, s: Span): (t: Span) => boolean {
  switch (prefix) {
    case 'eq':
      return (t) => s.from <= t.from && t.to <= s.to
    case 'ne':
      return (t) => s.from > t.from || t.to > s.to
    case 'gt':
      return (t) => t.to > s.to
    case 'lt':
      return (t) => t.from < s.from
    case 'ge':
      return (t) => t.to > s.from
    case 'le':
      return (t) => t.from < s.to
    case 'sa':
      return (t) => t.from >= s.to
    case 'eb':
      return (t) => t.to <= s.from
    case 'ap':
      return (t) => t.to > s.from && t.from < s.to
  }
}

/** The span with a tenth of its distance to now on either side. */
function widened({ from, to }: Span, now: bigint): Span {
  const distance = now < from ? from - now : now > to ? now - to : 0n
  return { from: from - distance / 10n, to: to + distance / 10n }
}

function elementSpan(element: unknown, datatype: Datatype): Span | undefined {
  if (datatype === 'Period') return periodSpan(element)
  if (datatype === 'Timing') return timingSpan(element)
  const span = typeof element === 'string' ? spanOf(element) : undefined
  // R4: an instant is a point in time, however many digits it has.
  return span !== undefined && datatype === 'instant' ? { from: span.from, to: span.from + 1n } : span
}

/** A missing end is open; without a start and an end it is no stretch of time, nor when one of them is not a date. */
function periodSpan(element: unknown): Span | undefined {
  if (!isObject(element)) return undefined
  const { start, end } = element
  if (typeof start !== 'string' && typeof end !== 'string') return undefined
  const from = typeof start === 'string' ? spanOf(start)?.from : dawn
  const to = typeof end === 'string' ? spanOf(end)?.to : dusk
  return from === undefined || to === undefined ? undefined : { from, to }
}

/** From the first to the last of the events and the bounds (R4: only the outer limits matter). */
function timingSpan(element: unknown): Span | undefined {
  if (!isObject(element)) return undefined
  const { event, repeat } = element
  const spans = (Array.isArray(event) ? event : [event]).map((item) =>
    typeof item === 'string' ? spanOf(item) : undefined,
  )
  if (isObject(repeat)) spans.push(periodSpan(repeat.boundsPeriod))
  let outer: Span | undefined
  for (const span of spans) {
    if (span === undefined) continue
    const first = outer === undefined || span.from < outer.from ? span : outer
    const last = outer === undefined || span.to > outer.to ? span : outer
    outer = { from: first.from, to: last.to }
  }
  return outer
}
