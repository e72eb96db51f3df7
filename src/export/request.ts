import type { Issue } from '../fhir/operation-outcome.ts'
import { type ExportableType, exportableTypes } from '../fhir/resource-types.ts'
import { parseTypeFilter } from '../filter/parse.ts'
import type { Query } from '../filter/query.ts'
import { effectiveFilters, type Filters } from './filters.ts'
import { Findings } from './findings.ts'
import { type Grant, lacksRead } from './grant.ts'
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
  /** What narrows a type; one that has no entry is exported whole. */
  readonly filters: Filters
  /** The tenant's FHIR base: absolute references under it are local. */
  readonly base: string
  /** Which Provenances of an exported record come along (protocol §3). */
  readonly provenance: 'relevant' | 'latest'
  /** O-14: referenced records of referenced records come along too. */
  readonly referenceWalk?: 'transitive'
  /** `Prefer: handling=lenient` was given. */
  readonly lenient: boolean
  /** What lenient handling ignored, for the `error` file. */
  readonly warnings: readonly Issue[]
}

/** A query string as it was parsed: a name that stands twice has several values. */
export type QueryString = Readonly<Record<string, string | readonly string[] | undefined>>

/** A kick-off as it came in. `base` is the tenant's public FHIR base. */
export interface ExportInput {
  readonly headers: ExportHeaders
  readonly query: QueryString
  readonly base: string
}

/** Either the request or what is wrong with it, in the order of the checks (protocol §2.6): the first problems, and how many there are. */
export type ParsedRequest =
  | { readonly request: ExportRequest }
  | { readonly problems: readonly Problem[]; readonly total: number }

/** Reads a `POST Patient/$export` (S-1…S-50). `body` is undefined when its bytes are not UTF-8. Pure: whether the patients exist is asked afterwards. */
export function parseExportRequest(
  input: ExportInput & { readonly body: string | undefined },
  grant: Grant,
  profile: Profile,
): ParsedRequest {
  const preferences = parsePrefer(input.headers.prefer)
  const findings = new Findings(preferences.get('handling') === 'lenient')
  findings.addAll(checkAccept(input.headers.accept, profile))
  findings.addAll(checkContentType(input.headers.contentType))
  findings.addAll(checkPrefer(preferences, profile))
  const before = findings.total
  const entries = readParameters(input.body, findings)
  const shapeBroken = findings.total > before
  for (const name of Object.keys(input.query)) {
    const text = `Parameters belong into the body; the query parameter ${quoted(name)} is not supported.`
    findings.unsupported(problem(400, 'not-supported', text, { diagnostics: 'Send it as an entry of parameter.' }))
  }
  const known = knownEntries(entries, profile, findings)
  const given = known.filter(({ name }) => name === 'patient')
  const patients = readPatients(given, shapeBroken, input.base, findings)
  return readRequest(input.base, patients, known, findings, grant, profile)
}

/** Reads a `GET Group/{id}/$export`. The patients of the request are empty: the members of the Group are looked up afterwards. */
export function parseGroupExportRequest(input: ExportInput, grant: Grant, profile: Profile): ParsedRequest {
  const preferences = parsePrefer(input.headers.prefer)
  const findings = new Findings(preferences.get('handling') === 'lenient')
  findings.addAll(checkAccept(input.headers.accept, profile))
  findings.addAll(checkPrefer(preferences, profile))
  const known = knownEntries(readQuery(input.query), profile, findings)
  for (const { at } of known.filter(({ name }) => name === 'patient')) {
    findings.unsupported(problem(400, 'not-supported', 'The Group says which patients.', { expression: at }))
  }
  return readRequest(input.base, [], known, findings, grant, profile)
}

function readRequest(
  base: string,
  patients: readonly string[],
  known: readonly ParameterEntry[],
  findings: Findings,
  grant: Grant,
  profile: Profile,
): ParsedRequest {
  const of = (name: string) => known.filter((entry) => entry.name === name)
  const explicit = readTypes(of('_type'), profile, findings)
  const provenance = readAssociatedData(of('includeAssociatedData'), explicit, profile, findings)
  const since = readSince(of('_since'), findings)
  checkOutputFormat(of('_outputFormat'), findings)
  const queries = readTypeFilter(of('_typeFilter'), explicit, profile, findings)
  const types = explicit ?? exportableTypes.filter((type) => grant.readable(type) !== 'none')
  findings.addAll(checkScopes(types, explicit, of('includeAssociatedData').length > 0, grant))
  if (findings.problems.length > 0) return { problems: findings.problems, total: findings.total }
  return {
    request: {
      patients,
      types: exportableTypes.filter((type) => types.includes(type)),
      ...(since === undefined ? {} : { since }),
      filters: effectiveFilters(types, queries, grant),
      base,
      provenance,
      ...(profile.referenceWalk === 'transitive' ? { referenceWalk: 'transitive' } : {}),
      lenient: findings.lenient,
      warnings: findings.warnings,
    },
  }
}

/** S-31…S-38: the queries of each type; what is wrong with them is never ignored, for that would hand out too much (O-4). */
function readTypeFilter(
  entries: readonly ParameterEntry[],
  types: readonly ExportableType[] | undefined,
  profile: Profile,
  findings: Findings,
): Readonly<Record<string, readonly Query[]>> {
  const values = entries.flatMap(({ value, at, valueName }) => {
    const expression = `${at}.${valueName}`
    const text = typeof value === 'string' ? value : undefined
    if (text !== undefined && !/\p{Cc}|%[01][0-9a-f]|%7f/iu.test(text)) return [{ text, at: expression }]
    const found =
      text === undefined
        ? problem(400, 'structure', 'The value of _typeFilter must be a JSON string.', { expression })
        : problem(422, 'value', '_typeFilter must not have control characters.', { expression })
    findings.add(found)
    return []
  })
  const { queries, problems } = parseTypeFilter(values, { types, switches: profile.typeFilter })
  findings.addAll(problems)
  return Object.fromEntries(queries)
}

/** S-6, S-29, O-5, O-6 */
function checkScopes(
  types: readonly ExportableType[],
  explicit: readonly ExportableType[] | undefined,
  associated: boolean,
  grant: Grant,
): Problem[] {
  if (explicit !== undefined) {
    const missing = explicit.filter((type) => grant.readable(type) === 'none')
    return missing.length === 0 ? [] : [lacksRead(grant, missing)]
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
