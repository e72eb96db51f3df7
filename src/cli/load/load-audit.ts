import type { Pool } from 'pg'
import { operator } from '../../administration/administer.ts'
import { appendAudit } from '../../audit/trail.ts'
import type { LoadCounts } from '../../records/load/load.ts'

/** A load has an entry when it begins, and one when it ends: what a crash has broken off shows. */
export async function recordLoad<Result extends { readonly counts: LoadCounts }>(
  pool: Pool,
  { tenant, keepLastUpdated = false }: { readonly tenant: string; readonly keepLastUpdated?: boolean },
  load: () => Promise<Result>,
): Promise<Result> {
  const event = { ...operator(), tenant, kind: 'load' as const }
  await appendAudit(pool, { ...event, outcome: 'success', detail: { phase: 'begin', keepLastUpdated } })
  try {
    const result = await load()
    await appendAudit(pool, { ...event, outcome: 'success', detail: { phase: 'end', ...result.counts } })
    return result
  } catch (error) {
    const reason = 'the load was broken off; what it had written is kept'
    await appendAudit(pool, { ...event, outcome: 'failed', reason, detail: { phase: 'end' } }).catch(() => {})
    throw error
  }
}
