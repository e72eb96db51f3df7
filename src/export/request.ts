import { parseInstant } from '../fhir/instant.ts'
import type { Issue } from '../fhir/operation-outcome.ts'
import { isId, isTypeName } from '../fhir/reference.ts'
import { clinicalTypes, type ExportableType, exportableTypes, isExportableType } from '../fhir/resource-types.ts'
import type { Grant } from './grant.ts'
import { checkAccept, checkContentType, checkPrefer, type ExportHeaders, parsePrefer } from './headers.ts'
import { patientsMax } from './limits.ts'
import { type ParameterEntry, quoted, readParameters } from './parameters.ts'
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

/** A kick-off as it came in. `base` is the tenant's public FHIR base; `query` the names in the query string. */
export interface ExportInput {
  readonly headers: ExportHeaders
  readonly query: readonly string[]
  readonly body: string
  readonly base: string
}

/** Either the request or all that is wrong with it, in the order of the checks (protocol §2.6). */
export type ParsedRequest = { readonly request: ExportRequest } | { readonly problems: readonly Problem[] }

/** The documented parameters and the member that carries each one's value (S-24, S-26, S-32, S-39, S-43, S-46). */
const valueNames: Readonly<Record<string, string>> = {
  patient: 'valueReference',
  _type: 'valueString',
  _typeFilter: 'valueString',
  includeAssociatedData: 'valueCode',
  _since: 'valueInstant',
  _outputFormat: 'valueString',
}

const outputFormats = ['application/fhir+ndjson', 'application/ndjson', 'ndjson']
const anchors: ReadonlySet<string> = new Set(['Patient', ...clinicalTypes])

/** Reads a `POST Patient/$export` (S-1…S-50). Pure: whether the patients exist is asked afterwards. */
export function parseExportRequest(input: ExportInput, grant: Grant, profile: Profile): ParsedRequest {
  const preferences = parsePrefer(input.headers.prefer)
  const lenient = preferences.get('handling') === 'lenient'
  const { entries, problems: shapeProblems } = readParameters(input.body)
  const problems = [
    ...checkAccept(input.headers.accept, profile),
    ...checkContentType(input.headers.contentType),
    ...checkPrefer(preferences, profile),
    ...shapeProblems,
  ]
  const warnings: Issue[] = []
  /** Something unsupported that lenient handling may ignore (O-4). */
  const unsupported = (found: Problem) => {
    if (lenient) warnings.push({ ...issueOf(found), severity: 'warning' })
    else problems.push(found)
  }
  for (const name of input.query) {
    unsupported(
      problem(
        400,
        'not-supported',
        `Parameters belong into the body; the query parameter ${quoted(name)} is not supported.`,
      ),
    )
  }
  const known = knownEntries(entries, profile, problems, unsupported)
  const of = (name: string) => known.filter((entry) => entry.name === name)

  const patients = readPatients(of('patient'), shapeProblems.length > 0, input.base, problems)
  const explicit = readTypes(of('_type'), profile, problems, unsupported)
  const provenance = readAssociatedData(of('includeAssociatedData'), explicit, profile, problems)
  const since = readSince(of('_since'), problems)
  checkOutputFormat(of('_outputFormat'), problems)
  refuseTypeFilter(of('_typeFilter'), explicit, problems)
  const types = explicit ?? exportableTypes.filter(grant.canRead)
  problems.push(...checkScopes(types, explicit, of('includeAssociatedData').length > 0, grant))
  if (problems.length > 0) return { problems }
  return {
    request: {
      patients,
      types: exportableTypes.filter((type) => types.includes(type)),
      ...(since === undefined ? {} : { since }),
      provenance,
      lenient,
      warnings,
    },
  }
}

function issueOf({ status: _, ...issue }: Problem): Issue {
  return issue
}

/** The entries with documented names and rightly typed values; everything else is a problem or, when lenient, a warning. */
function knownEntries(
  entries: readonly ParameterEntry[],
  profile: Profile,
  problems: Problem[],
  unsupported: (found: Problem) => void,
): ParameterEntry[] {
  const seen = new Set<string>()
  return entries.filter((entry) => {
    const expected = Object.hasOwn(valueNames, entry.name) ? valueNames[entry.name] : undefined
    if (expected === undefined) {
      unsupported(
        problem(400, 'not-supported', `The parameter ${quoted(entry.name)} is not supported.`, {
          diagnostics: `Supported: ${Object.keys(valueNames).join(', ')}.`,
          expression: entry.at,
        }),
      )
      return false
    }
    if (entry.name !== 'patient' && seen.has(entry.name) && !mayRepeat(entry.name, profile)) {
      problems.push(
        problem(400, 'structure', `The parameter ${entry.name} may be given once.`, { expression: entry.at }),
      )
      return false
    }
    seen.add(entry.name)
    if (entry.valueName === expected) return true
    problems.push(
      problem(400, 'structure', `The value of ${entry.name} must be a ${expected}.`, {
        diagnostics: `Found ${quoted(entry.valueName)}.`,
        expression: `${entry.at}.${entry.valueName}`,
      }),
    )
    return false
  })
}

/** D7; `_since` and `_outputFormat` are 0..1 everywhere (T-119, T-123). */
const mayRepeat = (name: string, profile: Profile): boolean =>
  profile.repeatsAllowed && name !== '_since' && name !== '_outputFormat'

function readPatients(
  entries: readonly ParameterEntry[],
  shapeBroken: boolean,
  base: string,
  problems: Problem[],
): string[] {
  if (entries.length === 0 && !shapeBroken) {
    problems.push(
      problem(400, 'required', 'At least one patient parameter with a valueReference is required.', {
        expression: 'Parameters.parameter',
      }),
    )
  }
  if (entries.length > patientsMax) {
    problems.push(
      problem(400, 'too-long', `At most ${patientsMax} patient parameters are allowed.`, {
        diagnostics: `Found ${entries.length}. Split the list into several exports.`,
        expression: entries[patientsMax]!.at,
      }),
    )
    return []
  }
  const ids = new Set<string>()
  for (const entry of entries) {
    const found = patientId(entry, base)
    if (typeof found === 'string') ids.add(found)
    else problems.push(found)
  }
  return [...ids]
}

/** O-8: relative, or absolute under the tenant's own base; no version, no fragment, no other type. */
function patientId({ value, at }: ParameterEntry, base: string): string | Problem {
  const { reference, type } = (value ?? {}) as { reference?: unknown; type?: unknown }
  if (type !== undefined && type !== 'Patient') {
    return problem(400, 'value', "The type of a patient's reference must be Patient.", {
      expression: `${at}.valueReference.type`,
    })
  }
  const text = typeof reference === 'string' ? reference : ''
  const relative = text.startsWith(`${base}/`) ? text.slice(base.length + 1) : text
  const id = relative.startsWith('Patient/') ? relative.slice(8) : undefined
  if (isId(id)) return id
  const code = reference === undefined ? 'required' : 'value'
  return problem(400, code, 'A patient must be a reference such as Patient/123.', {
    diagnostics: `Allowed: Patient/{id}, or ${base}/Patient/{id}.`,
    expression: `${at}.valueReference.reference`,
  })
}

/** The items of the comma-delimited values of a parameter, trimmed; an empty item is a problem (S-25, T-33, T-35). */
function listItems(entries: readonly ParameterEntry[], problems: Problem[]): { item: string; at: string }[] {
  return entries.flatMap(({ name, value, valueName, at }) => {
    const expression = `${at}.${valueName}`
    if (typeof value !== 'string') {
      problems.push(problem(400, 'structure', `The value of ${name} must be a JSON string.`, { expression }))
      return []
    }
    const items = value.split(',').map((item) => item.trim())
    if (!items.includes('')) return items.map((item) => ({ item, at: expression }))
    problems.push(problem(400, 'value', `The value of ${name} has an empty item.`, { expression }))
    return []
  })
}

/** The explicit types, undefined when `_type` is absent. */
function readTypes(
  entries: readonly ParameterEntry[],
  profile: Profile,
  problems: Problem[],
  unsupported: (found: Problem) => void,
): ExportableType[] | undefined {
  if (entries.length === 0) return undefined
  const problemsBefore = problems.length
  const types = new Set<ExportableType>()
  const refused: Problem[] = []
  for (const { item, at } of listItems(entries, problems)) {
    if (isExportableType(item)) types.add(item)
    else {
      refused.push(
        problem(400, isTypeName(item) ? 'not-supported' : 'value', `The type ${quoted(item)} cannot be exported.`, {
          diagnostics: `Allowed: ${exportableTypes.join(', ')}.`,
          expression: at,
        }),
      )
    }
  }
  if (types.size === 0) problems.push(...refused)
  else for (const found of refused) unsupported(found)
  if (problems.length === problemsBefore && profile.anchorRequired && ![...types].some((type) => anchors.has(type))) {
    problems.push(
      problem(
        400,
        'business-rule',
        'Location, Organization, Practitioner and Provenance need another type beside them.',
        {
          diagnostics: `Add at least one of ${[...anchors].join(', ')}.`,
          expression: `${entries[0]!.at}.valueString`,
        },
      ),
    )
  }
  return [...types]
}

const associatedData = ['LatestProvenanceResources', 'RelevantProvenanceResources']

/** S-39…S-41: both values at once mean the less restrictive one. */
function readAssociatedData(
  entries: readonly ParameterEntry[],
  types: readonly ExportableType[] | undefined,
  profile: Profile,
  problems: Problem[],
): 'relevant' | 'latest' {
  const items = listItems(entries, problems)
  for (const { item, at } of items) {
    if (associatedData.includes(item)) continue
    problems.push(
      problem(400, 'value', `The value ${quoted(item)} of includeAssociatedData is not known.`, {
        diagnostics: `Allowed: ${associatedData.join(', ')}.`,
        expression: at,
      }),
    )
  }
  if (entries.length > 0 && profile.provenanceInTypeRequired && types !== undefined && !types.includes('Provenance')) {
    problems.push(
      problem(400, 'business-rule', 'includeAssociatedData together with _type needs Provenance in _type.', {
        expression: entries[0]!.at,
      }),
    )
  }
  return items.length > 0 && items.every(({ item }) => item === 'LatestProvenanceResources') ? 'latest' : 'relevant'
}

/** S-42…S-44 */
function readSince(entries: readonly ParameterEntry[], problems: Problem[]): number | undefined {
  const [entry] = entries
  if (entry === undefined) return undefined
  const since = typeof entry.value === 'string' ? parseInstant(entry.value) : undefined
  if (since === undefined) {
    problems.push(
      problem(400, 'value', '_since must be an instant with a time zone.', {
        diagnostics: 'Example: 2021-03-18T19:19:42.000Z',
        expression: `${entry.at}.valueInstant`,
      }),
    )
  }
  return since
}

/** S-45…S-48 */
function checkOutputFormat(entries: readonly ParameterEntry[], problems: Problem[]): void {
  for (const { value, at } of entries) {
    if (typeof value === 'string' && outputFormats.includes(value)) continue
    problems.push(
      problem(400, 'not-supported', 'The _outputFormat is not supported.', {
        diagnostics: `Allowed: ${outputFormats.join(', ')}.`,
        expression: `${at}.valueString`,
      }),
    )
  }
}

/** Filters are not applied yet, so a request with one is refused: ignoring it would hand out too much. S-33: it needs `_type`. */
function refuseTypeFilter(
  entries: readonly ParameterEntry[],
  types: readonly ExportableType[] | undefined,
  problems: Problem[],
): void {
  for (const { at } of entries) {
    const expression = `${at}.valueString`
    if (types === undefined) problems.push(problem(400, 'required', '_typeFilter needs _type.', { expression }))
    problems.push(
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
