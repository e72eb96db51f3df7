import { NamedMembers } from '../../../fhir/json/named-members.ts'
import type { ResourceType } from '../../../fhir/resource-types.ts'
import { hasRootElement } from '../../../fhir/root-elements.ts'

/** The member by which records of a type stand together: what clients narrow them by most. */
export const sectionMember = 'category'

/** What a text of the member may have, in UTF-16 code units: a longer one would be kept for nobody. */
const memberCharsMax = 1_000

/** The key of lines whose member cannot be told: no JSON text. */
export const untold = '?'

const members = new NamedMembers([sectionMember])

/** Whether records of a type are put together by a member of theirs; others are not, but for Provenances. */
export const hasSectionMember = (type: string): boolean => hasRootElement(type as ResourceType, sectionMember)

/** The text of the member in a stored line, '' when it has none, or `untold`. */
export function memberTextOf(line: Buffer): string {
  if (!members.find(line, 0, line.length)) return untold
  const [start, end] = [members.starts[0]!, members.ends[0]!]
  if (end - start > 3 * memberCharsMax) return untold
  const text = line.toString('utf8', start, end)
  return text.length > memberCharsMax ? untold : text
}

/** The distinct types of some targets, `Type,Type`; `-` for none. */
export const typesOf = (targets: readonly string[]): string =>
  [...new Set(targets.map((target) => target.slice(0, target.indexOf('/'))))].sort().join(',') || '-'

/** Provenances about Observations alone are most of all: they stand first, so that what is little stands together. */
const mostFrequent = 'Observation'

/** @param types as `typesOf` says them */
export const keyOfTypes = (types: string): string => (types === mostFrequent ? '' : types)
