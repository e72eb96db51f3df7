import { quoted } from '../client-text.ts'
import { problem } from '../problem.ts'
import type { Profile } from '../profile.ts'
import type { Findings } from './findings.ts'
import type { QueryString } from './parse-request.ts'

/** What `_format` may say. A plus sign that was not percent-encoded has become a blank. */
const jsonFormats: ReadonlySet<string> = new Set([
  'json',
  'application/json',
  'application/fhir+json',
  'application/fhir json',
])

/** The query string without `_format`, where the profile takes it: answers are JSON, so another one is refused. */
export function withoutFormat(query: QueryString, profile: Profile, findings: Findings): QueryString {
  const { _format: given, ...rest } = query
  if (given === undefined || !profile.formatInUrl) return query
  const other = [given].flat().find((format) => !jsonFormats.has(format))
  if (other !== undefined) {
    const text = `The _format ${quoted(other)} is not supported.`
    findings.unsupported(
      problem(400, 'not-supported', text, { diagnostics: 'Answers are JSON: json, application/fhir+json.' }),
    )
  }
  return rest
}
