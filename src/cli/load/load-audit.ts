import type { Pool } from 'pg'
import { operator } from '../../administration/administer.ts'
import { appendAudit } from '../../audit/trail.ts'
import type { LoadSummary } from '../../records/load/load-tally.ts'

/** A load has an entry when it begins, and one when it ends: what a crash has broken off shows. It tells numbers, no names. */
export async function recordLoad<Result extends { readonly summary: LoadSummary }>(
  pool: Pool,
  { tenant, keepLastUpdated = false }: { readonly tenant: string; readonly keepLastUpdated?: boolean },
  load: () => Promise<Result>,
): Promise<Result> {
  const event = { ...operator(), tenant, kind: 'load' as const }
  await appendAudit(pool, { ...event, outcome: 'success', detail: { phase: 'begin', keepLastUpdated } })
  try {
    const result = await load()
    await appendAudit(pool, { ...event, outcome: 'success', detail: { phase: 'end', ...countsOf(result.summary) } })
    return result
  } catch (error) {
    const reason = 'the load was broken off; what it had written is kept'
    await appendAudit(pool, { ...event, outcome: 'failed', reason, detail: { phase: 'end' } }).catch(() => {})
    throw error
  }
}

function countsOf({ counts, references, passedOver, orphaned }: LoadSummary): Record<string, number> {
  return {
    ...counts,
    referencesResolved: references.resolved,
    referencesOpen: references.open.count,
    passedOver: passedOver.count,
    orphaned: Object.values(orphaned).reduce((sum, count) => sum + count, 0),
  }
}
