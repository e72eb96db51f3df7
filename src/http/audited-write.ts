import type { FastifyRequest } from 'fastify'
import { appendAudit } from '../access/audit-trail.ts'
import type { WriteOptions } from '../records/write.ts'
import { auditOf } from './audited.ts'

/** Records a write over HTTP in the transaction that writes: which records, and how many of them became what. */
export function auditWrite(request: FastifyRequest): NonNullable<WriteOptions['beforeCommit']> {
  return async (client, outcomes) => {
    if (outcomes.length === 0) return
    const detail: Record<string, number> = {}
    for (const { kind } of outcomes) detail[kind] = (detail[kind] ?? 0) + 1
    const subjects = outcomes
      .filter(({ lastUpdated }) => lastUpdated !== undefined)
      .map(({ type, id }) => `${type}/${id}`)
    await appendAudit(client, auditOf(request, { kind: 'write', outcome: 'success', subjects, detail }))
  }
}
