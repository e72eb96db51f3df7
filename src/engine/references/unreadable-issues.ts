import type { Issue } from '../../fhir/operation-outcome.ts'
import { recordCounts } from '../../records/ownerless.ts'
import type { Selection } from '../partition/selection.ts'
import { countsText } from './counts-text.ts'

/**
 * A warning about types of which the token lets read none: nothing is left out in silence. What is counted is what the tenant has, for
 * which of it the export would have had is not looked up.
 */
export async function unreadableIssues({ job, pool, at }: Selection): Promise<Issue[]> {
  const { unreadable: types } = job.request
  if (types === undefined) return []
  const counts = await recordCounts(pool, { ...at, types })
  return counts.size === 0 ? [] : [{ ...unreadable, diagnostics: countsText(types, counts) }]
}

const unreadable: Issue = {
  severity: 'warning',
  code: 'suppressed',
  text: 'The scopes of the token let read no records of these types, of which there are some here: none of them were exported.',
}
