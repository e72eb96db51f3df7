import type { Issue } from '../fhir/operation-outcome.ts'
import { type ExportableType, exportableTypes } from '../fhir/resource-types.ts'
import { Findings } from './findings.ts'
import type { Grant } from './grant.ts'
import { checkAccept, checkContentType, checkPrefer, type ExportHeaders, parsePrefer } from './headers.ts'
import { knownEntries } from './known-entries.ts'
import {
  anchors,
  checkOutputFormat,
  readAssociatedData,
  readPatients,
  readSince,
  readTypes,
} from './parameter-values.ts'
import { type ParameterEntry, quoted, readParameters, readQuery } from './parameters.ts'
import { type Problem, problem } from './problem.ts'
import type { Profile } from './profile.ts'

/** The effective request: what will be exported, with every default applied. */
export interface ExportRequest {
  /** Distinct patient ids in the order of the request. */
  readonly patients: readonly string[]
  readonly types: readonly ExportableType[]
  /** Only records whose meta.lastUpdated is later; milliseconds since 1970. */
  readonly since?: number
  /** Which Provenances of an exported record come along (protocol §3). */
  readonly provenance: 'relevant' | 'latest'
  /** `Prefer: handling=lenient` was given. */
  readonly lenient: boolean
  /** What lenient handling ignored, for the `error` file. */
  readonly warnings: readonly Issue[]
}

/** A query string as it was parsed: a name that stands twice has several values. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** A kick-off as it came in. `base` is the tenant's public FHIR base. */
export interface ExportInput {
  readonly headers: ExportHeaders
  readonly query: Query
  readonly base: string
}

/** Either the request or all that is wrong with it, in the order of the checks (protocol §2.6). */
export type ParsedRequest = { readonly request: ExportRequest } | { readonly problems: readonly Problem[] }

/** Reads a `POST Patient/$export` (S-1…S-50). Pure: whether the patients exist is asked afterwards. */
export function parseExportRequest(
  input: ExportInput & { readonly body: string },
  grant: Grant,
  profile: Profile,
): ParsedRequest {
  const preferences = parsePrefer(input.headers.prefer)
  const findings = new Findings(preferences.get('handling') === 'lenient')
  const { entries, problems } = readParameters(input.body)
  findings.add(
    ...checkAccept(input.headers.accept, profile),
    ...checkContentType(input.headers.contentType),
    ...checkPrefer(preferences, profile),
    ...problems,
  )
  for (const name of Object.keys(input.query)) {
    const text = `Parameters belong into the body; the query parameter ${quoted(name)} is not supported.`
    findings.unsupported(problem(400, 'not-supported', text))
  }
  const known = knownEntries(entries, profile, findings)
  const given = known.filter(({ name }) => name === 'patient')
  const patients = readPatients(given, problems.length > 0, input.base, findings)
  return readRequest(patients, known, preferences, findings, grant, profile)
}

/** Reads a `GET Group/{id}/$export`. The patients of the request are empty: the members of the Group are looked up afterwards. */
export function parseGroupExportRequest(input: ExportInput, grant: Grant, profile: Profile): ParsedRequest {
  const preferences = parsePrefer(input.headers.prefer)
  const findings = new Findings(preferences.get('handling') === 'lenient')
  findings.add(...checkAccept(input.headers.accept, profile), ...checkPrefer(preferences, profile))
  const known = knownEntries(readQuery(input.query), profile, findings)
  for (const { at } of known.filter(({ name }) => name === 'patient')) {
    findings.unsupported(problem(400, 'not-supported', 'The Group says which patients.', { expression: at }))
  }
  return readRequest([], known, preferences, findings, grant, profile)
}

function readRequest(
  patients: readonly string[],
  known: readonly ParameterEntry[],
  preferences: ReadonlyMap<string, string>,
  findings: Findings,
  grant: Grant,
  profile: Profile,
): ParsedRequest {
  const of = (name: string) => known.filter((entry) => entry.name === name)
  const explicit = readTypes(of('_type'), profile, findings)
  const provenance = readAssociatedData(of('includeAssociatedData'), explicit, profile, findings)
  const since = readSince(of('_since'), findings)
  checkOutputFormat(of('_outputFormat'), findings)
  refuseTypeFilter(of('_typeFilter'), explicit, findings)
  const types = explicit ?? exportableTypes.filter(grant.canRead)
  findings.add(...checkScopes(types, explicit, of('includeAssociatedData').length > 0, grant))
  if (findings.problems.length > 0) return { problems: findings.problems }
  return {
    request: {
      patients,
      types: exportableTypes.filter((type) => types.includes(type)),
      ...(since === undefined ? {} : { since }),
      provenance,
      lenient: preferences.get('handling') === 'lenient',
      warnings: findings.warnings,
    },
  }
}

/** Filters are not applied yet, so a request with one is refused: ignoring it would hand out too much. S-33: it needs `_type`. */
function refuseTypeFilter(
  entries: readonly ParameterEntry[],
  types: readonly ExportableType[] | undefined,
  findings: Findings,
): void {
  for (const { at } of entries) {
    const expression = `${at}.valueString`
    if (types === undefined) findings.add(problem(400, 'required', '_typeFilter needs _type.', { expression }))
    findings.add(
      problem(422, 'not-supported', '_typeFilter is not supported by this version of the server.', {
        diagnostics: 'Leave it out and filter the exported files, or wait for the version that applies it.',
        expression,
      }),
    )
  }
}

/** S-6, S-29, O-5, O-6 */
function checkScopes(
  types: readonly ExportableType[],
  explicit: readonly ExportableType[] | undefined,
  associated: boolean,
  grant: Grant,
): Problem[] {
  if (explicit !== undefined) {
    const missing = explicit.filter((type) => !grant.canRead(type))
    if (missing.length === 0) return []
    return [
      problem(403, 'forbidden', 'The token lacks system read scopes for requested types.', {
        diagnostics: `Missing: ${missing.map((type) => `system/${type}.read`).join(' ')}`,
      }),
    ]
  }
  if (!types.some((type) => anchors.has(type))) {
    return [problem(403, 'forbidden', 'The scopes of the token allow no type that can be exported.')]
  }
  if (associated && !types.includes('Provenance')) {
    return [
      problem(403, 'forbidden', 'includeAssociatedData needs the scope system/Provenance.read.', {
        expression: 'Parameters.parameter',
      }),
    ]
  }
  return []
}
