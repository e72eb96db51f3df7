import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { bearerChallenge } from '../../access/bearer.ts'
import { type BundleEntry, entriesOf } from '../../fhir/bundle/bundle-entries.ts'
import { isUrn } from '../../fhir/bundle/bundle-identities.ts'
import { renameReferences } from '../../fhir/bundle/reference-text.ts'
import { type OperationOutcome, operationOutcome } from '../../fhir/operation-outcome.ts'
import { isId, isTypeName } from '../../fhir/reference.ts'
import { lacksRead } from '../../protocol/grant.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import { keyOf } from '../../records/current.ts'
import { draftOf } from '../../records/draft.ts'
import type { Change, Outcome } from '../../records/write/change.ts'
import { write } from '../../records/write/write.ts'
import { auditOf, namingCodes } from '../audit/audited-refusal.ts'
import { auditWrite } from '../audit/audited-write.ts'
import { type Caller, callerOf } from '../caller.ts'
import type { HttpContext } from '../context.ts'
import { described, fhirJsonType, schemaNamed } from '../description.ts'
import { fhirJson, sendProblems } from '../outcome-answer.ts'
import { readableCurrent } from './readable-record.ts'
import { bodyText, faultProblem, ifMatchVersion, versionTag } from './resource-body.ts'
import { checkType, versionConflict } from './resource-write.ts'

/** The most entries of one Bundle. */
const bundleEntriesMax = 10_000

/** Characters of resources that a Bundle's answer carries; the last one read may go beyond. */
const answerCharsMax = 32 * 1024 * 1024

/** An entry that is understood: a change of the store, a read, or the problem that stands in its way. */
type Step =
  | { readonly kind: 'change'; readonly change: Change; readonly key: string }
  | { readonly kind: 'read'; readonly type: string; readonly id: string }
  | { readonly kind: 'refused'; readonly problem: Problem }

/** An entry of the answer; `resource` is the stored text, sent as it is. */
type AnswerEntry = {
  readonly resource?: string
  readonly response: {
    status: string
    location?: string
    etag?: string
    lastModified?: string
    outcome?: OperationOutcome
  }
}

const bundle = described({
  tag: 'Records',
  summary: 'Write and read many records with a transaction or batch Bundle',
  token: 'the scopes that the entries need',
  body: { [fhirJsonType]: schemaNamed('Resource') },
  answers: {
    200: {
      says: 'A Bundle with an entry for each entry.',
      content: { [fhirJsonType]: { schema: schemaNamed('Resource') } },
    },
  },
  refusals: {
    400: 'Not a transaction or batch, or an entry of a transaction is wrong.',
    404: 'An entry of a transaction names no resource type.',
    412: 'A version in `ifMatch` of a transaction is not the current one.',
    415: '`Content-Type` is missing or not FHIR JSON.',
  },
})

/** FHIR transaction (all or nothing) and batch (each for itself) at the tenant's base. */
export function bundleRoute(scope: FastifyInstance, context: HttpContext): void {
  scope.post('/', { config: { audit: 'write' }, schema: bundle }, async (request, reply) => {
    const caller = callerOf(request)
    const steps = readBundle(request, caller)
    if (!('type' in steps)) return sendProblems(reply, [steps], caller.profile)
    if (steps.type === 'transaction') {
      const problems = steps.steps.flatMap((step) => (step.kind === 'refused' ? [step.problem] : []))
      if (problems.some(({ status }) => status === 403)) {
        reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
      }
      if (problems.length > 0) return sendProblems(reply, problems, caller.profile)
    }
    const answer = await run(request, context, steps.type, steps.steps)
    if (!Array.isArray(answer)) return sendProblems(reply, [answer], caller.profile)
    return reply.type(fhirJson).send(answerText(steps.type, answer))
  })
}

function readBundle(
  request: FastifyRequest,
  caller: Caller,
): { type: 'transaction' | 'batch'; steps: Step[] } | Problem {
  const text = bodyText(request)
  if (typeof text !== 'string') return text
  let parsed: { resourceType?: unknown; type?: unknown; entry?: unknown } | null
  try {
    parsed = JSON.parse(text)
  } catch {
    return problem(400, 'structure', 'The body is not JSON.')
  }
  const type = parsed?.type
  if (parsed?.resourceType !== 'Bundle' || (type !== 'transaction' && type !== 'batch')) {
    return problem(400, 'value', 'Only a Bundle of type transaction or batch can be posted here.', {
      expression: 'Bundle.type',
    })
  }
  if (Array.isArray(parsed.entry) && parsed.entry.length > bundleEntriesMax) {
    return problem(413, 'too-long', `A Bundle may have at most ${bundleEntriesMax} entries.`, {
      expression: 'Bundle.entry',
    })
  }
  const entries = entriesOf(text)
  if (!entries) return problem(400, 'structure', 'Bundle.entry must be an array.', { expression: 'Bundle.entry' })
  return { type, steps: stepsOf(entries, caller) }
}

/** Entries with the ids they will have, so that `urn:uuid:` references between them can be resolved first. */
function stepsOf(entries: readonly BundleEntry[], caller: Caller): Step[] {
  const identified = entries.map((entry) => {
    const { method, url } = entry.request
    const [, type = '', id] = /^([^/?]+)(?:\/([^/?]+))?$/.exec(String(url ?? '')) ?? []
    return { entry, type, id: method === 'POST' && id === undefined ? randomUUID() : id }
  })
  const resolved = new Map(
    identified.flatMap(({ entry, type, id }) => (entry.fullUrl && id ? [[entry.fullUrl, `${type}/${id}`]] : [])),
  )
  const seen = new Set<string>()
  return identified.map(({ entry, type, id }) => {
    const step = stepOf(entry, type, id, resolved, caller)
    if (step.kind !== 'change') return step
    if (seen.has(step.key)) return refused(entry, problem(400, 'duplicate', 'The Bundle changes a resource twice.'))
    seen.add(step.key)
    return step
  })
}

function stepOf(
  entry: BundleEntry,
  type: string,
  id: string | undefined,
  resolved: ReadonlyMap<string, string>,
  { grant, base }: Caller,
): Step {
  const { method, url, ifNoneExist } = entry.request
  if (ifNoneExist !== undefined || String(url ?? '').includes('?')) {
    return refused(entry, problem(400, 'not-supported', 'Conditional requests are not supported.'))
  }
  if (!isTypeName(type) || (id !== undefined && !isId(id))) {
    return refused(entry, problem(400, 'value', 'request.url must be a type, or a type and an id.'))
  }
  if (method === 'GET' && type === 'AuditEvent') {
    return refused(entry, problem(400, 'not-supported', 'AuditEvents cannot be read in a Bundle.'))
  }
  if (method === 'GET' && id !== undefined) {
    if (grant.readable(type) === 'none') return refused(entry, lacksRead(grant, [type]))
    return { kind: 'read', type, id }
  }
  const fits = method === 'POST' ? url === type : method === 'PUT' || method === 'DELETE'
  if (!fits || id === undefined) {
    return refused(
      entry,
      problem(400, 'not-supported', 'request.method and request.url do not fit.', {
        diagnostics: 'Allowed: POST Type, PUT Type/id, DELETE Type/id, GET Type/id.',
      }),
    )
  }
  const notWritable = checkType(type, grant)
  if (notWritable) return refused(entry, notWritable)
  const ifMatch = ifMatchVersion(entry.request.ifMatch)
  if (ifMatch === 'invalid') return refused(entry, problem(400, 'value', 'ifMatch must name a version such as W/"3".'))
  const condition = ifMatch === undefined ? {} : { ifMatch }
  const key = keyOf({ type, id })
  if (method === 'DELETE') return { kind: 'change', key, change: { kind: 'delete', key: { type, id }, ...condition } }
  if (entry.resource === undefined) return refused(entry, problem(400, 'required', 'The entry has no resource.'))
  const renamed = renameReferences(entry.resource, (name) => (isUrn(name) ? resolved.get(name) : undefined))
  const draft = draftOf(renamed, [base], id)
  if ('fault' in draft) return refused(entry, faultProblem(draft))
  if (draft.type !== type || (method === 'PUT' && draft.statedId !== id)) {
    return refused(entry, problem(400, 'value', 'The resource is not the one that request.url names.'))
  }
  return { kind: 'change', key, change: { kind: 'put', draft, ...condition } }
}

const refused = ({ index }: BundleEntry, found: Problem): Step => ({
  kind: 'refused',
  problem: { ...found, expression: [`Bundle.entry[${index}]`] },
})

async function run(
  request: FastifyRequest,
  context: HttpContext,
  type: 'transaction' | 'batch',
  steps: readonly Step[],
): Promise<AnswerEntry[] | Problem> {
  const caller = callerOf(request)
  const changes = steps.flatMap((step) => (step.kind === 'change' ? [step.change] : []))
  const outcomes = await write(context.pool, caller.tenant, changes, {
    allOrNothing: type === 'transaction',
    beforeCommit: auditWrite(request),
  })
  const conflict = outcomes.find(({ kind }) => kind === 'conflict')
  if (type === 'transaction' && conflict) return versionConflict(conflict)
  const answers: AnswerEntry[] = []
  let next = 0
  let chars = 0
  for (const step of steps) {
    if (step.kind === 'refused') answers.push(refusal(step.problem))
    else if (step.kind === 'read' && chars > answerCharsMax) answers.push(refusal(answerTooLong))
    else if (step.kind === 'read') {
      const answer = await readEntry(context, caller, step)
      chars += answer.resource?.length ?? 0
      answers.push(answer)
    } else answers.push(changeEntry(step.key, outcomes[next++]!, caller.base))
  }
  await auditEntries(request, context, steps, answers)
  return answers
}

/** Records what the entries of a Bundle were given to read, before the answer, and how many of them were refused, and why. */
async function auditEntries(
  request: FastifyRequest,
  context: HttpContext,
  steps: readonly Step[],
  answers: readonly AnswerEntry[],
): Promise<void> {
  const refusals = answers.flatMap(({ response }) => response.outcome ?? [])
  if (refusals.length > 0) {
    const reason = namingCodes(refusals.flatMap(({ issue }) => issue.map(({ code }) => code)))
    const detail = { method: request.method, route: request.routeOptions.url ?? '', entries: refusals.length }
    context.audit.note(auditOf(request, { kind: 'write', outcome: 'refused', detail, ...reason }))
  }
  const subjects = steps.flatMap((step, at) =>
    step.kind === 'read' && answers[at]!.resource !== undefined ? [keyOf(step)] : [],
  )
  if (subjects.length > 0) await context.audit.record(auditOf(request, { kind: 'read', outcome: 'success', subjects }))
}

const answerTooLong = problem(413, 'too-long', `The resources read are longer than ${answerCharsMax} characters.`)

function answerText(type: 'transaction' | 'batch', entries: readonly AnswerEntry[]): string {
  const texts = entries.map(({ resource, response }) => {
    const before = resource === undefined ? '' : `"resource":${resource},`
    return `{${before}"response":${JSON.stringify(response)}}`
  })
  return `{"resourceType":"Bundle","type":"${type}-response","entry":[${texts.join(',')}]}`
}

function refusal(found: Problem): AnswerEntry {
  return { response: { status: String(found.status), outcome: operationOutcome([found]) } }
}

async function readEntry(context: HttpContext, caller: Caller, wanted: Step & { kind: 'read' }): Promise<AnswerEntry> {
  const found = await readableCurrent(context, caller, wanted)
  if (!found) return refusal(problem(404, 'not-found', 'There is no such resource.'))
  if (found.body === null) return refusal(problem(410, 'deleted', 'The resource was deleted.'))
  const etag = versionTag(found.version)
  return {
    resource: found.body,
    response: { status: '200', etag, lastModified: found.updated.toISOString() },
  }
}

function changeEntry(key: string, outcome: Outcome, base: string): AnswerEntry {
  if (outcome.kind === 'conflict') return refusal(versionConflict(outcome))
  if (outcome.kind === 'deleted' || outcome.kind === 'absent') return { response: { status: '204' } }
  return {
    response: {
      status: outcome.kind === 'created' ? '201' : '200',
      location: `${base}/${key}/_history/${outcome.version}`,
      etag: versionTag(outcome.version),
      ...(outcome.lastUpdated === undefined ? {} : { lastModified: new Date(outcome.lastUpdated).toISOString() }),
    },
  }
}
