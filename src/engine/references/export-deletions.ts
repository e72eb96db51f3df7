import { jobPatients } from '../../jobs/job.ts'
import { deletionsPerBundleMax } from '../../protocol/limits.ts'
import { isOfOwners } from '../../protocol/plan/coming-along.ts'
import { type DeletionQuery, deletions } from '../../records/deletions.ts'
import type { Selection } from '../partition/selection.ts'

/**
 * Writes what was deleted after `_since` as transaction Bundles (D24, T-185). A deleted record has no text, so `_typeFilter` cannot be
 * asked: its deletion is told whether it would have matched or not.
 */
export async function exportDeletions(selection: Selection): Promise<void> {
  const { job, at } = selection
  const { deletions: types, since, until, reach } = job.request
  if (types === undefined || since === undefined) return
  const query: DeletionQuery = {
    ...at,
    owners: reach ?? (await jobPatients(selection.pool, job.id)),
    types: types.filter((type) => isOfOwners(job.request, type)),
    since,
    until,
  }
  await selection.writing('Bundle', 'deleted', async (writer) => {
    let pending: string[] = []
    for await (const references of deletions(selection.pool, query)) {
      pending.push(...references)
      while (pending.length > deletionsPerBundleMax) {
        await writer.write(bundleOf(pending.slice(0, deletionsPerBundleMax)), 1)
        pending = pending.slice(deletionsPerBundleMax)
      }
    }
    if (pending.length > 0) await writer.write(bundleOf(pending), 1)
  })
}

/** One line: a Bundle that deletes the records. */
function bundleOf(references: readonly string[]): Buffer {
  const entry = references.map((url) => ({ request: { method: 'DELETE', url } }))
  return Buffer.from(`${JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })}\n`)
}
