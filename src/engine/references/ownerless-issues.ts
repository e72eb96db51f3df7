import type { Issue } from '../../fhir/operation-outcome.ts'
import { isOwnedType } from '../../fhir/resource-types.ts'
import { ownerlessCount, ownerlessCounts } from '../../records/ownerless.ts'
import { lineTest } from '../partition/line-test.ts'
import type { Selection } from '../partition/selection.ts'
import { countsText } from './counts-text.ts'

/**
 * A warning about records that are nobody's although their type belongs to patients, such as a Condition whose subject is on another
 * server: no export of patients has them. Of types that are narrowed only what passes is counted, for of the rest the caller may not know.
 */
export async function ownerlessIssues(selection: Selection): Promise<Issue[]> {
  const { job, pool, at } = selection
  const { tellsOwnerless, filters, since, until } = job.request
  if (!tellsOwnerless) return []
  const types = job.request.types.filter((type) => isOwnedType(type) && !['Patient', 'Provenance'].includes(type))
  const counts = new Map(await ownerlessCounts(pool, { ...at, types, since, until }))
  for (const type of [...counts.keys()].filter((type) => Object.hasOwn(filters, type))) {
    counts.set(type, await ownerlessCount(pool, { ...at, type, since, until }, lineTest(job, type)!.passes))
  }
  const text = countsText(types, counts)
  return text === '' ? [] : [{ ...ownerless, diagnostics: text }]
}

const ownerless: Issue = {
  severity: 'warning',
  code: 'incomplete',
  text: 'Records of types that belong to patients belong to none that is known here, and were not exported.',
}
