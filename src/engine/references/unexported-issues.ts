import type { Issue } from '../../fhir/operation-outcome.ts'
import { isResourceType } from '../../fhir/resource-types.ts'
import { recordCounts } from '../../records/ownerless.ts'
import { typesOfOwners } from '../../records/types-of-owner.ts'
import type { Selection } from '../partition/selection.ts'
import { countsText } from './counts-text.ts'

/** Types that are counted: whoever writes records may invent some. */
export const unexportedTypesMax = 20

/** A warning of a system export about stored records of types that no export has: not all that there is came out. */
export async function unexportedIssues({ job, pool, at }: Selection): Promise<Issue[]> {
  if (!job.request.tellsUnexported) return []
  // Nobody owns records of such types.
  const stored = (await typesOfOwners(pool, job.tenant, [''])).get('') ?? new Set()
  const types = [...stored].filter((type) => !isResourceType(type))
  const counted = types.slice(0, unexportedTypesMax)
  const counts = await recordCounts(pool, { ...at, types: counted })
  const more = types.length > counted.length ? `, and perhaps ${types.length - counted.length} more types` : ''
  return counts.size === 0 ? [] : [{ ...unexported, diagnostics: `${countsText(counted, counts)}${more}` }]
}

const unexported: Issue = {
  severity: 'warning',
  code: 'incomplete',
  text: 'Records of types that no export has were not exported.',
}
