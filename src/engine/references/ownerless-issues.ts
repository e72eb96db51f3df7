import type { Issue } from '../../fhir/operation-outcome.ts'
import { isCompartmentType } from '../../fhir/resource-types.ts'
import { ownerlessCount, ownerlessCounts, typesOfPatients } from '../../records/ownerless.ts'
import { lineTest } from '../partition/line-test.ts'
import type { Selection } from '../partition/selection.ts'
import { countsText } from './counts-text.ts'

/**
 * A warning about records that are nobody's although their type belongs to patients, such as a Condition whose subject is on another
 * server: no export of patients has them. Of types that are narrowed only what passes is counted, for of the rest the caller may not know.
 * An export of certain patients is told of those alone that may be theirs all the same, because they are of too many.
 */
export async function ownerlessIssues(selection: Selection): Promise<Issue[]> {
  const { job, pool, at } = selection
  const { tellsAll, tellsOwnerless, reach, filters, since, until } = job.request
  if (!tellsAll || reach === 'system') return []
  const crowdedOnly = !tellsOwnerless
  const types = job.request.types.filter((type) =>
    crowdedOnly ? isCompartmentType(type) : typesOfPatients.includes(type),
  )
  const narrowing = { since, until, crowdedOnly }
  const counts = new Map(await ownerlessCounts(pool, { ...at, ...narrowing, types }))
  for (const type of [...counts.keys()].filter((type) => Object.hasOwn(filters, type))) {
    counts.set(type, await ownerlessCount(pool, { ...at, ...narrowing, type }, lineTest(job, type)!.passes))
  }
  const text = countsText(types, counts)
  return text === '' ? [] : [{ ...(crowdedOnly ? crowded : ownerless), diagnostics: text }]
}

const ownerless: Issue = {
  severity: 'warning',
  code: 'incomplete',
  text: 'Records of types that belong to patients belong to none that is known here, and were not exported.',
}

const crowded: Issue = {
  severity: 'warning',
  code: 'incomplete',
  text: 'Records of more patients than a record may belong to do not come with their patients.',
}
