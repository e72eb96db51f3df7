import type { Issue } from '../../fhir/operation-outcome.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import { parseTypeFilter } from '../../filter/parse/parse.ts'
import type { Query } from '../../filter/query.ts'
import { quoted } from '../client-text.ts'
import { type Grant, lacksRead } from '../grant.ts'
import { type Problem, problem } from '../problem.ts'
import type { ExportLevel, Profile } from '../profile.ts'
import { binaryContexts } from './binary-contexts.ts'
import { exportParameters } from './export-parameter.ts'
import type { ExportRequest } from './export-request.ts'
import { effectiveFilters } from './filters.ts'
import { Findings } from './findings.ts'
import { withoutFormat } from './format-in-url.ts'
import { checkAccept, checkContentType, checkPrefer, type ExportHeaders, parsePrefer } from './headers.ts'
import { knownEntries } from './known-entries.ts'
import { readElements, readOrganizedBy, readPartialManifests } from './output-values.ts'
import {
  checkOutputFormat,
  readAssociatedData,
  readInstant,
  readPatients,
  readTypes,
  standsAlone,
} from './parameter-values.ts'
import { type ParameterEntry, readParameters, readQuery } from './parameters.ts'

/** A query string as it was parsed: a name that stands twice has several values. */
export type QueryString = Readonly<Record<string, string | readonly string[] | undefined>>

/** A kick-off as it came in. `base` is the tenant's public FHIR base. */
export interface ExportInput {
  readonly level: ExportLevel
  readonly headers: ExportHeaders
  readonly query: QueryString
  readonly base: string
}

/** Either the request or what is wrong with it, in the order of the checks (protocol §2.6): the first problems, and how many there are. */
export type ParsedRequest =
  | { readonly request: ExportRequest }
  | { readonly problems: readonly Problem[]; readonly total: number }

/**
 * Reads a kick-off by POST (S-1…S-50). `body` is undefined when its bytes are not UTF-8. Pure: whether the patients exist and who is in the Group is asked afterwards; the patients
 * of a Group export are those that the body lists.
 */
export function parseExportRequest(
  input: ExportInput & { readonly body: string | undefined },
  grant: Grant,
  profile: Profile,
): ParsedRequest {
  const { level, headers, query, base } = input
  const reading = beginReading(input, profile)
  const { findings } = reading
  const required = level === 'patient' && profile.patientsRequired
  findings.addAll(checkAccept(headers.accept, profile))
  findings.addAll(checkContentType(headers.contentType))
  findings.addAll(checkPrefer(reading.preferences, profile))
  const before = findings.total
  const names = exportParameters(profile, level).map(({ name }) => name)
  const entries = readParameters(input.body, { required, names }, findings)
  const shapeBroken = findings.total > before
  for (const name of Object.keys(withoutFormat(query, profile, findings))) {
    const text = `Parameters belong into the body; the query parameter ${quoted(name)} is not supported.`
    findings.unsupported(problem(400, 'not-supported', text, { diagnostics: 'Send it as an entry of parameter.' }))
  }
  const known = knownEntries(entries, level, profile, findings)
  const given = known.filter(({ name }) => name === 'patient')
  const patients = readPatients(given, required && !shapeBroken, base, findings)
  return readRequest(reading, patients, known, grant)
}

/**
 * Reads a kick-off by GET, which names no patients: they come in the body of a POST.
 * @param input `hasBody`: it has one all the same, which could be a list of patients, and is never ignored
 */
export function parseExportQuery(
  input: ExportInput & { readonly hasBody: boolean },
  grant: Grant,
  profile: Profile,
): ParsedRequest {
  const reading = beginReading(input, profile)
  const { findings } = reading
  if (input.hasBody) {
    const text = 'A kick-off by GET takes no body.'
    findings.add(
      problem(400, 'not-supported', text, { diagnostics: 'Parameters belong into the query string, or into a POST.' }),
    )
  }
  findings.addAll(checkAccept(input.headers.accept, profile))
  findings.addAll(checkPrefer(reading.preferences, profile))
  const known = knownEntries(readQuery(withoutFormat(input.query, profile, findings)), input.level, profile, findings)
  for (const { at } of known.filter(({ name }) => name === 'patient')) {
    const text = 'A list of patients is not taken from a URL. Send it in the body of a POST.'
    findings.add(problem(400, 'not-supported', text, { expression: at }))
  }
  return readRequest(reading, [], known, grant)
}

/** What the reading of a request goes by. */
interface Reading {
  readonly level: ExportLevel
  readonly base: string
  readonly profile: Profile
  readonly preferences: ReadonlyMap<string, string>
  readonly findings: Findings
}

function beginReading({ level, base, headers }: ExportInput, profile: Profile): Reading {
  const preferences = parsePrefer(headers.prefer)
  return { level, base, profile, preferences, findings: new Findings(preferences.get('handling') === 'lenient') }
}

function readRequest(
  reading: Reading,
  patients: readonly string[],
  known: readonly ParameterEntry[],
  grant: Grant,
): ParsedRequest {
  const { level, base, profile, preferences, findings } = reading
  const of = (name: string) => known.filter((entry) => entry.name === name)
  const named = readTypes(of('_type'), level, profile, findings)
  const associated = of('includeAssociatedData').length > 0
  const provenance = readAssociatedData(of('includeAssociatedData'), named, profile, findings)
  const since = readInstant(of('_since'), findings)
  const until = readInstant(of('_until'), findings)
  checkOutputFormat(of('_outputFormat'), findings)
  const explicit: ResourceType[] | undefined =
    associated && named ? [...new Set([...named, 'Provenance' as const])] : named
  const queries = readTypeFilter(of('_typeFilter'), named, profile, findings)
  const types = profile.exportedTypes.filter((type) =>
    explicit === undefined ? grant.readable(type) !== 'none' : explicit.includes(type),
  )
  const unreadable =
    profile.tellsAll && explicit === undefined ? profile.exportedTypes.filter((type) => !types.includes(type)) : []
  const elements = readElements(of('_elements'), types, profile, findings)
  const organizedBy = readOrganizedBy(of('organizeOutputBy'), findings)
  const partialManifests = readPartialManifests(of('allowPartialManifests'), findings)
  findings.addAll(checkScopes(reading, types, explicit, associated, grant))
  const deletions = profile.manifestDeleted && since !== undefined ? readDeletions(types, grant, findings) : undefined
  if (level === 'system' && organizedBy !== undefined) findings.warn(leftOut)
  if (findings.problems.length > 0) return { problems: findings.problems, total: findings.total }
  return {
    request: {
      patients,
      ...(level === 'system' ? { reach: 'system' } : {}),
      ...(level === 'patient' && patients.length === 0 ? { reach: 'patients' } : {}),
      types,
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
      ...(deletions === undefined ? {} : { deletions }),
      ...(elements === undefined ? {} : { elements }),
      ...(organizedBy === undefined ? {} : { organizedBy }),
      ...(partialManifests ? { partialManifests } : {}),
      ...(profile.stu3 && preferences.has('separate-export-status') ? { separateStatus: true } : {}),
      filters: effectiveFilters(types, queries, grant),
      base,
      provenance,
      ...(profile.referenceWalk === 'transitive' ? { referenceWalk: 'transitive' } : {}),
      ...(profile.allReferred ? { allReferred: true } : {}),
      ...(profile.attachments ? { absoluteUrls: true } : {}),
      ...binaryContexts(types, grant, profile),
      ...(profile.tellsAll ? { tellsAll: true } : {}),
      ...(unreadable.length > 0 ? { unreadable } : {}),
      ...(profile.tellsAll && level === 'system' && explicit === undefined ? { tellsUnexported: true } : {}),
      ...(profile.tellsAll && mayMissOwnerless(level, patients) ? { tellsOwnerless: true } : {}),
      lenient: findings.lenient,
      warnings: findings.warnings,
    },
  }
}

/** Who asks for all patients, or for a Group, may expect what is nobody's; a system export has it, and a list of patients says whose. */
const mayMissOwnerless = (level: ExportLevel, patients: readonly string[]): boolean =>
  level === 'group' || (level === 'patient' && patients.length === 0)

/** A deleted record has no text, so no query of a granular scope can tell whether it may be known of: such types are left out. */
function readDeletions(types: readonly ResourceType[], grant: Grant, findings: Findings): ResourceType[] {
  const narrowed = types.filter((type) => grant.readable(type) !== 'all')
  if (narrowed.length > 0) {
    findings.warn({
      severity: 'warning',
      code: 'suppressed',
      text: 'The scopes of the token let read only some records of these types: what was deleted of them is not told.',
      diagnostics: narrowed.join(', '),
    })
  }
  return types.filter((type) => !narrowed.includes(type))
}

/** What is not a patient's has no place in files that are organized by patient. */
const leftOut: Issue = {
  severity: 'warning',
  code: 'incomplete',
  text: 'Records that belong to no patient are left out of an export that is organized by Patient.',
}

/** S-31…S-38: the queries of each type; what is wrong with them is never ignored, for that would hand out too much (O-4). */
function readTypeFilter(
  entries: readonly ParameterEntry[],
  types: readonly ResourceType[] | undefined,
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
  const { queries, problems } = parseTypeFilter(values, {
    types,
    exported: profile.exportedTypes,
    switches: profile.typeFilter,
  })
  findings.addAll(problems)
  return Object.fromEntries(queries)
}

/** S-6, S-29, O-5, O-6 */
function checkScopes(
  { level, profile }: Reading,
  types: readonly ResourceType[],
  explicit: readonly ResourceType[] | undefined,
  associated: boolean,
  grant: Grant,
): Problem[] {
  if (explicit !== undefined) {
    const missing = explicit.filter((type) => grant.readable(type) === 'none')
    return missing.length === 0 ? [] : [lacksRead(grant, missing)]
  }
  if (!types.some((type) => standsAlone(type, level, profile))) {
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
