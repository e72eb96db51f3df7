import { codesOfSystem } from './concepts.fixture.ts'
import { compositeOf, definitionOf, valuesOf } from './extraction.fixture.ts'
import { compares, halfOpen, type Interval, point, timeOf } from './interval.fixture.ts'
import { inUnit } from './units.fixture.ts'

type Json = { readonly [name: string]: unknown }

/** What the naive evaluation needs beside the resource: our base and the time. */
export interface NaiveContext {
  readonly base: string
  readonly now: Date
}

const list = (value: unknown): Json[] => (value === undefined ? [] : [value].flat(3)) as Json[]

/** Whether a resource meets one `name=value` of a query, decoded: slowly, by the shape of what FHIRPath finds. */
export function naiveMatches(resource: Json, type: string, text: string, context: NaiveContext): boolean {
  const [, code = '', modifier, value = ''] = /^([^:=]+)(?::([^=]+))?=(.*)$/s.exec(text)!
  if (modifier === 'missing') {
    return String(!elementsOf(resource, type, code).some(({ element }) => bare(element) !== undefined)) === value
  }
  const found = split(value, ',').some((one) => {
    if (definitionOf(type, code).type === 'composite') return matchesComposite(resource, type, code, one, context)
    return elementsOf(resource, type, code).some((element) => matches(element, one, modifier, context))
  })
  return modifier === 'not' ? !found : found
}

/** What a parameter finds, how it is searched, and whether it is an instant. */
interface Found {
  readonly element: unknown
  readonly type: string
  readonly isInstant?: boolean
}

/** What is a value of these search types: a choice may also be something else, a string for a date, an Attachment for a Reference. */
const valueTypes: Readonly<Record<string, readonly string[]>> = {
  date: ['date', 'dateTime', 'instant', 'Period', 'Timing'],
  reference: ['Reference', 'canonical', 'uri'],
}

function elementsOf(resource: Json, type: string, code: string): Found[] {
  const definition = definitionOf(type, code)
  if (type === 'Patient' && code === 'deceased') return [{ element: isDead(resource), type: 'token' }]
  return (valueTypes[definition.type] ?? ['']).flatMap((datatype) =>
    valuesOf(resource, type, code, datatype).map((element) => ({
      element,
      type: definition.type,
      isInstant: datatype === 'instant',
    })),
  )
}

function matchesComposite(resource: Json, type: string, code: string, text: string, context: NaiveContext): boolean {
  const parts = split(text, '$')
  return compositeOf(resource, type, code).some((components) =>
    components.every(({ definition, values }, index) =>
      values.some((element) => matches({ element, type: definition.type }, parts[index]!, undefined, context)),
    ),
  )
}

const isDead = ({ deceasedBoolean, deceasedDateTime }: Json): boolean =>
  deceasedBoolean === true || deceasedDateTime !== undefined

/** Cuts at separators that are not escaped; the pieces keep the escapes of the other separators. */
function split(text: string, separator: string): string[] {
  return text
    .replaceAll('\\\\', '\u0001')
    .replaceAll(`\\${separator}`, '\u0002')
    .split(separator)
    .map((piece) => piece.replaceAll('\u0002', `\\${separator}`).replaceAll('\u0001', '\\\\'))
}

const plain = (text: string): string => text.replace(/\\(.)/gs, '$1')

/** A value without extensions and ids; undefined when nothing is left. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare).find((item) => item !== undefined)
  if (typeof value !== 'object' || value === null) return value ?? undefined
  const members = Object.entries(value).filter(([name]) => !/^(id|extension|_.*)$/.test(name))
  return members.map(([, member]) => bare(member)).find((member) => member !== undefined)
}

function matches(
  { element, type, isInstant }: Found,
  raw: string,
  modifier: string | undefined,
  context: NaiveContext,
): boolean {
  switch (type) {
    case 'token':
      return matchesToken(element as Json, raw, modifier)
    case 'date':
      return matchesDate(element, isInstant === true, raw, context.now)
    case 'string':
      return texts(element).some((text) => matchesString(text, plain(raw), modifier))
    case 'quantity':
      return matchesQuantity(element as Json, raw)
    case 'reference':
      return matchesReference(element, raw, modifier, context.base)
    default:
      return matchesUri(element, plain(raw), modifier)
  }
}

/** A code has an implied system: one that knows it, or one that R4 does not list. */
const isImplied = (system: string, code: string): boolean =>
  system.startsWith('urn:ietf:bcp:') || codesOfSystem(system).includes(code)

function matchesToken(element: Json, raw: string, modifier: string | undefined): boolean {
  const parts = split(raw, '|').map(plain)
  if (modifier === 'text') {
    const type = element.type as Json | undefined
    const all = [element.text, element.display, type?.text, ...list(element.coding).map(({ display }) => display)]
    return all.some((text) => typeof text === 'string' && matchesString(text, plain(raw), undefined))
  }
  if (modifier === 'of-type') {
    const { value, type } = element as { value?: unknown; type?: Json }
    const typed = list(type?.coding).some((coding) => coding.system === parts[0] && coding.code === parts[1])
    return typed && value === parts[2]
  }
  const [system, code] = parts.length === 1 ? [undefined, parts[0]!] : (parts as [string, string])
  if (typeof element !== 'object') {
    const known = system === undefined || system === '' || isImplied(system, String(element))
    return known && (code === '' || String(element) === code)
  }
  const pairs = Array.isArray(element.coding) ? (element.coding as Json[]) : [element]
  return pairs.some((pair) => {
    if (system === '' && pair.system !== undefined) return false
    if (system && pair.system !== system) return false
    return code === '' || pair.code === code || (pair.code === undefined && pair.value === code)
  })
}

const everywhere: Interval = {
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  lowIn: true,
  highIn: true,
}

function periodOf({ start, end }: Json): Interval | undefined {
  if (start === undefined && end === undefined) return undefined
  const first = start === undefined ? everywhere : timeOf(String(start))
  const last = end === undefined ? everywhere : timeOf(String(end))
  return first && last && { low: first.low, high: last.high, lowIn: true, highIn: last.highIn }
}

function timesOf(element: unknown, isInstant: boolean): Interval[] {
  if (typeof element === 'string') {
    const time = timeOf(element)
    return time === undefined ? [] : [isInstant ? point(time.low) : time]
  }
  const { event, repeat } = element as { event?: unknown; repeat?: { boundsPeriod?: Json } }
  if (event === undefined && repeat === undefined)
    return [periodOf(element as Json)].filter((time) => time !== undefined)
  const all = [...list(event).map((one) => timeOf(String(one))), repeat?.boundsPeriod && periodOf(repeat.boundsPeriod)]
  const times = all.filter((time) => time !== undefined)
  if (times.length === 0) return []
  const low = times.map((time) => time.low).sort((a, b) => (a < b ? -1 : 1))[0]!
  const high = times.map((time) => time.high).sort((a, b) => (a > b ? -1 : 1))[0]!
  return [{ low, high, lowIn: true, highIn: high === Number.POSITIVE_INFINITY }]
}

function matchesDate(element: unknown, isInstant: boolean, raw: string, now: Date): boolean {
  const [, prefix = 'eq', text = ''] = /^([a-z][a-z])?(.*)$/.exec(plain(raw))!
  const wanted = timeOf(text)!
  const [low, high] = [Number(wanted.low), Number(wanted.high)]
  const away = Math.max(0, low - now.getTime(), now.getTime() - high) / 10
  return timesOf(element, isInstant).some((time) => compares(prefix, wanted, time, halfOpen(low - away, high + away)))
}

const base = (text: string): string =>
  [...text.toUpperCase().normalize('NFD')].filter((char) => !/\p{M}/u.test(char)).join('')

function matchesString(text: string, wanted: string, modifier: string | undefined): boolean {
  if (modifier === 'exact') return text === wanted
  const at = base(text).indexOf(base(wanted))
  return modifier === 'contains' ? at >= 0 : at === 0
}

function texts(element: unknown): string[] {
  if (typeof element === 'string') return [element]
  const { use: _use, type: _type, period: _period, id: _id, extension: _extension, ...members } = element as Json
  return list(Object.values(members)).filter((member): member is never => typeof member === 'string')
}

/** More than the smallest number of JavaScript has: HL7's own examples hold 1e-245. */
const places = 400
/** A decimal as an integer, scaled. */
function scaled(text: string): bigint {
  const [, sign, whole, fraction = '', power = '0'] = /^([+-]?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text)!
  return (
    BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`) * 10n ** BigInt(places + Number(power) - fraction.length)
  )
}

/** Half a unit of the last digit. */
function slack(text: string): bigint {
  const [, fraction = '', power = '0'] = /^[^.e]*(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text)!
  return 10n ** BigInt(places + Number(power) - fraction.length) / 2n
}

function matchesQuantity(element: Json, raw: string): boolean {
  const [first = '', system, code] = split(raw, '|').map(plain)
  const [, prefix = 'eq', number = ''] = /^([a-z][a-z])?(.*)$/.exec(first)!
  const exact = scaled(number)
  const half = slack(number)
  const tenth = (exact < 0n ? -exact : exact) / 10n
  const margin = tenth > half ? tenth : half
  const near = { low: exact - margin, high: exact + margin, lowIn: true, highIn: true }
  const wanted = prefix === 'eq' || prefix === 'ne' ? halfOpen(exact - half, exact + half) : point(exact)
  const units = [element, element.origin, element.low, element.high].filter(
    (one): one is Json => typeof one === 'object' && (one as Json).value !== undefined,
  )
  const converts = system === 'http://unitsofmeasure.org' && code !== undefined && code !== ''
  const sameUnit = units.every((unit) => {
    if (converts) return unit.system === system && inUnit('1', String(unit.code), code) !== undefined
    if (system) return unit.system === system && (!code || unit.code === code)
    return !code || unit.code === code || unit.unit === code
  })
  if (!sameUnit) return false
  const extent = extentOf(element, (value, unit) => scaled(converts ? inUnit(value, String(unit.code), code)! : value))
  return extent !== undefined && compares(prefix, wanted, extent, near)
}

function extentOf(element: Json, place: (value: string, unit: Json) => bigint): Interval | undefined {
  const { value, comparator, low, high, origin } = element as { [name: string]: Json }
  if (value !== undefined) {
    const at = place(String(value), element)
    const sign = String(comparator)
    if (sign[0] === '<') return { ...everywhere, high: at, highIn: sign === '<=' }
    return sign[0] === '>' ? { ...everywhere, low: at, lowIn: sign === '>=' } : point(at)
  }
  if (origin?.value !== undefined) return samplesOf(element, place)
  if (low?.value === undefined && high?.value === undefined) return undefined
  return {
    ...everywhere,
    ...(low?.value === undefined ? {} : { low: place(String(low.value), low) }),
    ...(high?.value === undefined ? {} : { high: place(String(high.value), high) }),
  }
}

function samplesOf(
  { origin, data, factor = 1, lowerLimit, upperLimit }: Json,
  place: (value: string, unit: Json) => bigint,
): Interval | undefined {
  const samples = String(data ?? '')
    .split(' ')
    .map((sample) => ({ L: lowerLimit ?? -Infinity, U: upperLimit ?? Infinity })[sample] ?? (sample || 'E'))
    .filter((sample) => sample !== 'E')
    .map((sample) => Number((origin as Json).value) + Number(sample) * Number(factor))
  if (samples.length === 0) return undefined
  const ends = [Math.min(...samples), Math.max(...samples)]
  const [low, high] = ends.map((end) => (Number.isFinite(end) ? place(String(end), origin as Json) : end))
  return { low: low!, high: high!, lowIn: true, highIn: true }
}

function matchesReference(element: unknown, raw: string, modifier: string | undefined, ours: string): boolean {
  if (typeof element === 'string') {
    const [url, version] = element.split('|')
    const [wantedUrl, wantedVersion] = plain(raw).split('|')
    return url === wantedUrl && (wantedVersion === undefined || version === wantedVersion)
  }
  const { reference, identifier } = element as { reference?: string; identifier?: Json }
  if (modifier === 'identifier') return identifier !== undefined && matchesToken(identifier, raw, undefined)
  if (typeof reference !== 'string') return false
  const [found = '', foundVersion] = reference.split('/_history/')
  const absolute = /^[a-z]+:/.test(found) ? found : `${ours}/${found}`
  const [wanted = '', wantedVersion] = plain(raw).split('/_history/')
  if (wantedVersion !== undefined && wantedVersion !== foundVersion) return false
  if (/^[a-z]+:/.test(wanted)) return absolute === wanted
  const [type, id] = wanted.includes('/') ? wanted.split('/') : [modifier, wanted]
  const local = absolute.startsWith(`${ours}/`) ? absolute.slice(ours.length + 1).split('/') : []
  return local.length === 2 && local[1] === id && (type === undefined || local[0] === type)
}

function matchesUri(element: unknown, wanted: string, modifier: string | undefined): boolean {
  const uri = String(element)
  if (modifier === 'below') return uri.indexOf(wanted) === 0
  return modifier === 'above' ? wanted.indexOf(uri) === 0 : uri === wanted
}
