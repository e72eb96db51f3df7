import { belonging, provenanceTargets, referencedRecords } from '../fhir/ownership.ts'
import { documentedTypes, isOwnedType } from '../fhir/resource-types.ts'
import type { PopulationRecord } from '../population/record.ts'

/**
 * How many records of each type an export of the patients must give, counted from the generated records alone, without the store:
 * the patients' own, the Provenances of those, and what they all refer to.
 */
export function expectedCounts(
  records: Iterable<PopulationRecord>,
  patients: ReadonlySet<string>,
): Map<string, number> {
  const own = new Set<string>()
  const found = new Map<string, Set<string>>(documentedTypes.map((type) => [type, new Set()]))
  const provenances: { id: string; targets: string[]; refs: string[] }[] = []
  const existing = new Set<string>()
  const add = (reference: string) => found.get(reference.slice(0, reference.indexOf('/')))?.add(reference)
  const referred = new Set<string>()

  for (const { type, id, line } of records) {
    existing.add(`${type}/${id}`)
    const resource = JSON.parse(line)
    if (type === 'Provenance') {
      provenances.push({ id, targets: provenanceTargets(resource, []), refs: referencedRecords(resource, []) })
      continue
    }
    const owners = belonging(resource, type, id, [])
    if (!owners.some((owner) => patients.has(owner))) continue
    own.add(`${type}/${id}`)
    add(`${type}/${id}`)
    for (const reference of referencedRecords(resource, [])) referred.add(reference)
  }
  for (const { id, targets, refs } of provenances) {
    if (!targets.some((target) => own.has(target))) continue
    add(`Provenance/${id}`)
    for (const reference of refs) referred.add(reference)
  }
  for (const reference of referred) {
    if (!isOwnedType(reference.slice(0, reference.indexOf('/'))) && existing.has(reference)) add(reference)
  }
  return new Map([...found].map(([type, ids]) => [type, ids.size]))
}
