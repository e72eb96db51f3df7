import type { ResourceType } from '../../fhir/resource-types.ts'
import { resourceTypeNames } from '../../fhir/root-elements.generated.ts'
import { hasRootElement } from '../../fhir/root-elements.ts'
import { quoted } from '../client-text.ts'
import { problem } from '../problem.ts'
import type { Profile } from '../profile.ts'
import type { Findings } from './findings.ts'
import { listItems } from './list-items.ts'
import type { ParameterEntry } from './parameters.ts'

/** The root elements that are asked for, by type. Every record of the type has only these and those that are always there. */
export type WantedElements = Readonly<Record<string, readonly string[]>>

const elementPattern = /^(?:([A-Za-z]+)\.)?([A-Za-z]+)(?:\[x\])?$/

/**
 * D16: `Patient.name` asks for an element of one type, `name` for that of all types that have it. An unknown one is refused, or ignored
 * when handling is lenient: that narrows what is exported, so a request of unknown ones alone gets what is always there.
 */
export function readElements(
  entries: readonly ParameterEntry[],
  types: readonly ResourceType[],
  profile: Profile,
  findings: Findings,
): WantedElements | undefined {
  if (entries.length === 0) return undefined
  const wanted = new Map(types.map((type) => [type, new Set<string>()]))
  for (const { item, at } of listItems(entries, profile, findings)) {
    const [, type, element] = elementPattern.exec(item) ?? []
    const having = element === undefined ? [] : typesHaving(element, type, profile.exportedTypes)
    for (const each of having) wanted.get(each)?.add(element!)
    if (having.length > 0) continue
    findings.unsupported(
      problem(400, 'value', `_elements names ${quoted(item)}, which is no root element of an exported type.`, {
        diagnostics: 'Examples: Patient.name, Observation.value, subject.',
        expression: at,
      }),
    )
  }
  return Object.fromEntries([...wanted].map(([type, elements]) => [type, [...elements]]))
}

const typesHaving = (element: string, type: string | undefined, exported: readonly ResourceType[]): ResourceType[] =>
  exported.filter((each) => (type === undefined || each === type) && hasRootElement(each, element))

/** D17: files are organized by patient, or by type when there is no such parameter. */
export function readOrganizedBy(entries: readonly ParameterEntry[], findings: Findings): 'Patient' | undefined {
  const [entry] = entries
  if (entry === undefined || entry.value === 'Patient') return entry && 'Patient'
  const text = typeof entry.value === 'string' ? entry.value : JSON.stringify(entry.value)
  const code = resourceTypeNames.has(text) ? 'not-supported' : 'value'
  findings.unsupported(
    problem(400, code, `The output cannot be organized by ${quoted(text)}.`, {
      diagnostics: 'Allowed: Patient.',
      expression: `${entry.at}.${entry.valueName}`,
    }),
  )
  return undefined
}

/** D17: whether the manifest may be divided. */
export function readPartialManifests(entries: readonly ParameterEntry[], findings: Findings): boolean {
  const [entry] = entries
  if (entry === undefined) return false
  if (typeof entry.value === 'boolean') return entry.value
  const expression = `${entry.at}.${entry.valueName}`
  findings.add(problem(400, 'value', 'allowPartialManifests must be true or false.', { expression }))
  return false
}
