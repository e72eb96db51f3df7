import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { bearerChallenge } from '../../access/bearer.ts'
import { auditEvent } from '../../audit/audit-event.ts'
import type { StoredEntry } from '../../audit/entry.ts'
import { findEntry, searchEntries } from '../../audit/search.ts'
import {
  type AuditQuery,
  auditPageDefault,
  auditPageMax,
  parseAuditQuery,
  placeText,
} from '../../audit/search-query.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import type { QueryString } from '../../protocol/request/parse-request.ts'
import { roomOf } from '../bytes/room.ts'
import { type Caller, callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { described, fhirJsonType, schemaNamed } from '../description.ts'
import { allowOnly } from '../method-not-allowed.ts'
import { fhirJson, sendProblems } from '../outcome-answer.ts'
import { costOf, type RateLimits } from '../rates.ts'
import { auditOf } from './audited-refusal.ts'

const scopeNeeded = '`system/AuditEvent.read`, registered and asked for by this name: no wildcard covers it'

const searching = described({
  tag: 'Audit',
  summary: 'Search the audit trail of the tenant',
  details: 'What was done and what was refused, newest first. The search is recorded too.',
  token: scopeNeeded,
  query: {
    date: { type: 'string', description: 'When it was recorded; may be repeated.', examples: ['ge2026-11-01'] },
    _count: { type: 'integer', minimum: 1, maximum: auditPageMax, default: auditPageDefault },
    page: { type: 'string', description: 'Stands in the link to the next page.' },
  },
  answers: {
    200: {
      says: 'A searchset of AuditEvents; the link `next` leads to older ones.',
      content: { [fhirJsonType]: { schema: schemaNamed('Resource') } },
    },
  },
  refusals: { 400: 'A parameter is not supported, or has a value that cannot be used.' },
})

const reading = described({
  tag: 'Audit',
  summary: 'Read an entry of the audit trail',
  token: scopeNeeded,
  answers: {
    200: {
      says: 'The AuditEvent. It never changes.',
      headers: { ETag: 'Always the first version.', 'Last-Modified': 'When it was recorded.' },
      content: { [fhirJsonType]: { schema: schemaNamed('Resource') } },
    },
  },
  refusals: { 404: 'The tenant has no such entry.' },
})

/**
 * The tenant's audit trail as AuditEvents, newest first: read by id, search by `date`. Needs the scope `system/AuditEvent.read` by that
 * name; wildcards do not reach it. Looking into the trail is recorded in it, before the answer.
 */
export function auditEventRoutes(
  scope: FastifyInstance,
  context: StoreContext,
  limits: Pick<RateLimits, 'charge'>,
): void {
  const config = { audit: 'audit', costly: true } as const
  scope.get('/AuditEvent', { config, schema: searching }, async (request, reply) => {
    const caller = callerOf(request)
    if (!caller.grant.canRead('AuditEvent')) return refuse(reply, context, caller, [noScope])
    const query = parseAuditQuery(request.query as QueryString)
    if ('problems' in query) return refuse(reply, context, caller, query.problems)
    await context.audit.record(auditOf(request, { kind: 'audit', outcome: 'success', detail: { use: 'search' } }))
    const { text, entries } = await searchText(request, context, caller, query)
    limits.charge(caller.grant.client, costOf({ entries }))
    return reply.type(fhirJson).send(text)
  })
  allowOnly(scope, '/AuditEvent', ['GET'])

  scope.get('/AuditEvent/:id', { config, schema: reading }, async (request, reply) => {
    const caller = callerOf(request)
    if (!caller.grant.canRead('AuditEvent')) return refuse(reply, context, caller, [noScope])
    const { id } = request.params as { id: string }
    const found = /^[1-9]\d{0,14}$/.test(id) ? await findEntry(context.pool, caller.tenant, Number(id)) : undefined
    if (!found) return refuse(reply, context, caller, [problem(404, 'not-found', 'There is no such AuditEvent.')])
    const subjects = [`AuditEvent/${id}`]
    await context.audit.record(
      auditOf(request, { kind: 'audit', outcome: 'success', subjects, detail: { use: 'read' } }),
    )
    reply.header('ETag', 'W/"1"').header('Last-Modified', found.recorded.toUTCString())
    return reply.type(fhirJson).send(JSON.stringify(auditEvent(found, context.publicUrl)))
  })
  allowOnly(scope, '/AuditEvent/:id', ['GET'])
}

const noScope = problem(403, 'forbidden', 'The token lacks the scope system/AuditEvent.read.', {
  diagnostics: 'A wildcard does not cover it: it must be registered and asked for by this name.',
})

function refuse(reply: FastifyReply, context: StoreContext, { profile }: Caller, problems: readonly Problem[]) {
  if (problems[0]!.status === 403) {
    reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
  }
  return sendProblems(reply, problems, profile)
}

/** A searchset. There is no total: it would cost a count of the whole trail. */
async function searchText(request: FastifyRequest, context: StoreContext, caller: Caller, query: AuditQuery) {
  const room = roomOf(request)
  const admit = (bytes: number) => room.take(bytes)
  const { entries, next } = await searchEntries(context.pool, caller.tenant, query, query, admit)
  const base = `${caller.base}/AuditEvent`
  const { page: _, ...asked } = request.query as QueryString
  const link = [{ relation: 'self', url: `${base}${search(request.query as QueryString)}` }]
  if (next) link.push({ relation: 'next', url: `${base}${search({ ...asked, page: placeText(next) })}` })
  const text = JSON.stringify({
    resourceType: 'Bundle',
    type: 'searchset',
    link,
    // FHIR has no empty arrays.
    ...(entries.length === 0 ? {} : { entry: entries.map((entry) => matchOf(entry, base, context.publicUrl)) }),
  })
  return { text, entries: entries.length }
}

const matchOf = (entry: StoredEntry, base: string, publicUrl: string) => ({
  fullUrl: `${base}/${entry.number}`,
  resource: auditEvent(entry, publicUrl),
  search: { mode: 'match' },
})

function search(query: QueryString): string {
  const given = Object.entries(query).flatMap(([name, values]) =>
    [values ?? []].flat().map((value): [string, string] => [name, value]),
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}
