import { readable } from '../client-text.ts'
import { type Problem, problem } from '../problem.ts'
import type { Profile } from '../profile.ts'

/** The headers that matter to a kick-off. `prefer` holds every occurrence of the header. */
export interface ExportHeaders {
  readonly accept: string | undefined
  readonly contentType: string | undefined
  readonly prefer: readonly string[]
}

const bodyTypes = ['application/fhir+json', 'application/json+fhir', 'application/json']
/** Characters of a header that an answer repeats. */
const shownCharsMax = 200

const acceptedRanges = new Set([...bodyTypes, 'application/*', '*/*'])

/** A media type or range in lower case with its parameters. */
interface MediaType {
  readonly name: string
  readonly parameters: ReadonlyMap<string, string>
}

/** Splits at a separator that stands outside quoted strings; one pass, whatever the text. */
function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = []
  let start = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    if (quoted && text[at] === '\\') at++
    else if (text[at] === '"') quoted = !quoted
    else if (!quoted && text[at] === separator) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)].map((part) => part.trim()).filter((part) => part !== '')
}

const unquoted = (text: string): string => (/^".*"$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text)

function nameAndValue(text: string): [string, string] {
  const at = text.indexOf('=')
  return at < 0
    ? [text.toLowerCase(), '']
    : [text.slice(0, at).trim().toLowerCase(), unquoted(text.slice(at + 1).trim())]
}

function mediaType(text: string): MediaType {
  const [name = '', ...parameters] = splitOutsideQuotes(text, ';')
  return { name: name.toLowerCase(), parameters: new Map(parameters.map(nameAndValue)) }
}

/** Whether an `Accept` header lets the server answer one of the media ranges, in FHIR R4 if it names a version (T-139…T-142). */
function accepts(accept: string, ranges: ReadonlySet<string>): boolean {
  return splitOutsideQuotes(accept, ',')
    .map(mediaType)
    .some(({ name, parameters }) => {
      const version = parameters.get('fhirversion')
      const wanted = Number(parameters.get('q') ?? 1) > 0
      return wanted && ranges.has(name) && (version === undefined || /^4\.0(\.|$)/.test(version))
    })
}

const fileRanges = new Set([...acceptedRanges, 'application/fhir+ndjson', 'application/ndjson'])

/** T-178: whether a file may be answered; Oracle's page for files asks for FHIR JSON. */
export const acceptsFile = (accept: string | undefined): boolean => accept === undefined || accepts(accept, fileRanges)

/** T-139, T-143: what the answer's media type may be. */
export function checkAccept(accept: string | undefined, profile: Profile): Problem[] {
  if (accept === undefined) {
    if (!profile.headersRequired) return []
    return [
      problem(406, 'required', 'The Accept header is missing.', { diagnostics: 'Send Accept: application/fhir+json.' }),
    ]
  }
  if (accepts(accept, acceptedRanges)) return []
  return [
    problem(406, 'not-supported', 'The Accept header names nothing that this server produces.', {
      diagnostics: `Accept: ${readable(accept, shownCharsMax)}. Allowed: application/fhir+json (FHIR 4.0), application/json.`,
    }),
  ]
}

/** T-144, T-145: the media type of the body. */
export function checkContentType(contentType: string | undefined): Problem[] {
  if (contentType !== undefined && bodyTypes.includes(mediaType(contentType).name)) return []
  return [
    problem(415, 'not-supported', 'The Content-Type header is missing or names a type that is not supported.', {
      diagnostics: `Content-Type: ${contentType === undefined ? '(none)' : readable(contentType, shownCharsMax)}. Allowed: ${bodyTypes.join(', ')}.`,
    }),
  ]
}

/** RFC 7240: the preferences of all `Prefer` headers; of a repeated one the first counts. */
export function parsePrefer(headers: readonly string[]): Map<string, string> {
  const preferences = new Map<string, string>()
  for (const item of headers.flatMap((header) => splitOutsideQuotes(header, ','))) {
    const [name, value] = nameAndValue(splitOutsideQuotes(item, ';')[0] ?? '')
    if (name !== '' && !preferences.has(name)) preferences.set(name, value.toLowerCase())
  }
  return preferences
}

/** T-146…T-150: `respond-async` is what this server can do. */
export function checkPrefer(preferences: ReadonlyMap<string, string>, profile: Profile): Problem[] {
  if (preferences.has('respond-async') || !profile.headersRequired) return []
  const found = readable([...preferences.keys()].join(', '), shownCharsMax)
  return [
    problem(400, found === '' ? 'required' : 'value', 'The Prefer header must contain respond-async.', {
      diagnostics: `Prefer: ${found || '(none)'}. Send Prefer: respond-async.`,
    }),
  ]
}
