import type { FastifyInstance } from 'fastify'
import { storeChain } from '../../audit/entry.ts'
import { searchEntries } from '../../audit/search.ts'
import { parseAuditQuery, placeText } from '../../audit/search-query.ts'
import { appendAudit } from '../../audit/trail.ts'
import { roomOf } from '../bytes/room.ts'
import type { HttpContext } from '../context.ts'
import { administratorOf } from './acting-administrator.ts'
import { AdminRefusal, countOf, readQuery, sendJson } from './admin-answer.ts'

/** The audit trail of a tenant, or without `tenant` that of the store, newest first. Looking into it is recorded. */
export function adminAuditRoutes(scope: FastifyInstance, context: HttpContext): void {
  scope.get('/audit', async (request, reply) => {
    const { tenant = storeChain, ...query } = readQuery(request, ['tenant', 'date', 'count', 'page'])
    const { date, page } = query
    const parsed = parseAuditQuery({ ...(date === undefined ? {} : { date }), ...(page === undefined ? {} : { page }) })
    if ('problems' in parsed) {
      const { text, diagnostics = '' } = parsed.problems[0]!
      throw new AdminRefusal(400, text, diagnostics)
    }
    // A tenant that was removed has its trail still, and one that never was has none.
    const { rowCount } = await context.pool.query('select from audit_head where tenant = $1', [tenant])
    if (rowCount === 0 && tenant !== storeChain) {
      throw new AdminRefusal(404, 'There are no entries of such a tenant.', 'GET /admin/tenants lists the tenants.')
    }
    const use = { kind: 'audit' as const, outcome: 'success' as const, detail: { use: 'search' } }
    await appendAudit(context.pool, { ...administratorOf(request), tenant, ...use })
    const [room, asked] = [roomOf(request), { ...parsed, count: countOf(query) }]
    const found = await searchEntries(context.pool, tenant, parsed, asked, (bytes) => room.take(bytes))
    return sendJson(reply, 200, { entries: found.entries, next: found.next ? placeText(found.next) : null })
  })
}
