import type { FastifyRequest } from 'fastify'
import { appendAudit } from '../../audit/trail.ts'
import type { WriteOptions } from '../../records/write/write.ts'
import { auditOf } from './audited-refusal.ts'

/**
 * Records a write over HTTP in the transaction that writes: which records, and how many of them became what. What `If-Match` refused is
 * no part of it: it is recorded as a refusal, with the answer.
 */
export function auditWrite(request: FastifyRequest): NonNullable<WriteOptions['beforeCommit']> {
  return async (client, outcomes) => {
    const done = outcomes.filter(({ kind }) => kind !== 'conflict')
    if (done.length === 0) return
    const detail: Record<string, number> = {}
    for (const { kind } of done) detail[kind] = (detail[kind] ?? 0) + 1
    const subjects = done.filter(({ lastUpdated }) => lastUpdated !== undefined).map(({ type, id }) => `${type}/${id}`)
    await appendAudit(client, auditOf(request, { kind: 'write', outcome: 'success', subjects, detail }))
  }
}
