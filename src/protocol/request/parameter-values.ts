import { parseInstant } from '../../fhir/instant.ts'
import { isId } from '../../fhir/reference.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import { resourceTypeNames } from '../../fhir/root-elements.generated.ts'
import { quoted } from '../client-text.ts'
import { patientsMax } from '../limits.ts'
import { type Problem, problem } from '../problem.ts'
import type { ExportLevel, Profile } from '../profile.ts'
import type { Findings } from './findings.ts'
import { listItems } from './list-items.ts'
import type { ParameterEntry } from './parameters.ts'

const outputFormats = ['application/fhir+ndjson', 'application/ndjson', 'ndjson']

/** S-21…S-24: the distinct ids. */
export function readPatients(
  entries: readonly ParameterEntry[],
  required: boolean,
  base: string,
  findings: Findings,
): string[] {
  if (entries.length === 0 && required) {
    findings.add(
      problem(400, 'required', 'At least one patient parameter with a valueReference is required.', {
        expression: 'Parameters.parameter',
      }),
    )
  }
  if (entries.length > patientsMax) {
    findings.add(
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
    else findings.add(found)
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

/** The explicit types, undefined when `_type` is absent. */
export function readTypes(
  entries: readonly ParameterEntry[],
  level: ExportLevel,
  profile: Profile,
  findings: Findings,
): ResourceType[] | undefined {
  if (entries.length === 0) return undefined
  const problemsBefore = findings.problems.length
  const types = new Set<ResourceType>()
  const refused: Problem[] = []
  for (const { item, at } of listItems(entries, profile, findings)) {
    const type = profile.exportedTypes.find((each) => each === item)
    if (type !== undefined) types.add(type)
    else {
      refused.push(
        problem(
          400,
          resourceTypeNames.has(item) ? 'not-supported' : 'value',
          `The type ${quoted(item)} cannot be exported.`,
          {
            diagnostics: `Allowed: ${profile.exportedTypes.join(', ')}.`,
            expression: at,
          },
        ),
      )
    }
  }
  if (types.size === 0) findings.addAll(refused)
  else for (const found of refused) findings.unsupported(found)
  if (findings.problems.length === problemsBefore && ![...types].some((type) => standsAlone(type, level, profile))) {
    const { dependentTypes, exportedTypes } = profile
    const others = exportedTypes.filter((type) => !dependentTypes.includes(type))
    const named = `${dependentTypes.slice(0, -1).join(', ')} and ${dependentTypes.at(-1)}`
    const names = profile.allReferred ? 'Types that only come along with others' : named
    findings.add(
      problem(400, 'business-rule', `${names} need another type beside them.`, {
        diagnostics: `Add at least one of ${others.join(', ')}.`,
        expression: `${entries[0]!.at}.valueString`,
      }),
    )
  }
  return [...types]
}

/** D9, S-28: whether there is something to export when this is the only type. */
export const standsAlone = (type: ResourceType, level: ExportLevel, { dependentTypes }: Profile): boolean =>
  level === 'system' || !dependentTypes.includes(type)

const associatedData = ['LatestProvenanceResources', 'RelevantProvenanceResources']

/** S-39…S-41: both values at once mean the less restrictive one. */
export function readAssociatedData(
  entries: readonly ParameterEntry[],
  types: readonly ResourceType[] | undefined,
  profile: Profile,
  findings: Findings,
): 'relevant' | 'latest' {
  const items = listItems(entries, profile, findings)
  for (const { item, at } of items) {
    if (associatedData.includes(item)) continue
    findings.add(
      problem(400, 'value', `The value ${quoted(item)} of includeAssociatedData is not known.`, {
        diagnostics: `Allowed: ${associatedData.join(', ')}.`,
        expression: at,
      }),
    )
  }
  if (entries.length > 0 && profile.provenanceInTypeRequired && types !== undefined && !types.includes('Provenance')) {
    findings.add(
      problem(400, 'business-rule', 'includeAssociatedData together with _type needs Provenance in _type.', {
        expression: entries[0]!.at,
      }),
    )
  }
  return items.length > 0 && items.every(({ item }) => item === 'LatestProvenanceResources') ? 'latest' : 'relevant'
}

/** S-42…S-44: `_since` and `_until`, milliseconds since 1970. */
export function readInstant(entries: readonly ParameterEntry[], findings: Findings): number | undefined {
  const [entry] = entries
  if (entry === undefined) return undefined
  const instant = typeof entry.value === 'string' ? parseInstant(entry.value) : undefined
  if (instant === undefined) {
    findings.add(
      problem(400, 'value', `${entry.name} must be an instant with a time zone.`, {
        diagnostics: 'Example: 2021-03-18T19:19:42.000Z',
        expression: `${entry.at}.valueInstant`,
      }),
    )
  }
  return instant
}

/** S-45…S-48 */
export function checkOutputFormat(entries: readonly ParameterEntry[], findings: Findings): void {
  for (const { value, at } of entries) {
    if (typeof value === 'string' && outputFormats.includes(value)) continue
    findings.add(
      problem(400, 'not-supported', 'The _outputFormat is not supported.', {
        diagnostics: `Allowed: ${outputFormats.join(', ')}.`,
        expression: `${at}.valueString`,
      }),
    )
  }
}
