import { randomUUID } from 'node:crypto'
import type { BundleEntry } from '../../../fhir/bundle/bundle-entries.ts'
import { isAbsolute, isUrn, withoutVersion } from '../../../fhir/bundle/bundle-identities.ts'
import { type IdentifierQuery, isConditional, readIdentifierQuery } from '../../../fhir/bundle/identifier-query.ts'
import { referencesIn } from '../../../fhir/bundle/reference-text.ts'
import { oneLine } from '../../../fhir/json/json-text.ts'
import { isId, isTypeName } from '../../../fhir/reference.ts'
import { type Grant, lacksRead } from '../../../protocol/grant.ts'
import { type Problem, problem } from '../../../protocol/problem.ts'
import { draftOfSent, sketchOfSent } from '../../../records/draft.ts'
import type { Caller } from '../../caller.ts'
import { quoted, readCondition } from '../request-condition.ts'
import { faultProblem, ifMatchVersion } from '../resource-body.ts'
import { checkType } from '../writable-type.ts'
import type { Refused, Step, Target } from './step.ts'

/** Many references are compared with a `fullUrl`. */
const fullUrlCharsMax = 2_048

/** What `request.url` says. */
interface EntryUrl {
  readonly type: string
  readonly id: string | undefined
  /** What stands behind its question mark. */
  readonly query: string | undefined
}

/** Understands one entry, or says everything that is wrong with it. */
export function stepOf(entry: BundleEntry, caller: Caller): Step {
  const url = entryUrl(entry)
  const step = 'status' in url ? url : understood(entry, url, caller)
  if (!('status' in step) && !Array.isArray(step)) return step
  return refusedStep(entry, 'status' in url ? undefined : url, 'status' in step ? [step] : step)
}

/** A refused entry still has names by which others may refer to it. */
function refusedStep(entry: BundleEntry, url: EntryUrl | undefined, problems: readonly Problem[]): Refused {
  const { index, fullUrl } = entry
  const key = url?.id !== undefined && isId(url.id) ? `${url.type}/${url.id}` : undefined
  const { resourceType, id } = statedBy(entry.resource)
  const stated = isTypeName(resourceType) && isId(id) ? `${resourceType}/${id}` : undefined
  return { kind: 'refused', index, fullUrl, key, stated, problems: problems.map((found) => inEntry(found, index)) }
}

/** A problem with the entry that it is about. */
export const inEntry = (found: Problem, index: number): Problem => ({
  ...found,
  expression: [`Bundle.entry[${index}]`],
})

function statedBy(resource: string | undefined): { resourceType?: unknown; id?: unknown } {
  const parsed = resource === undefined ? undefined : (JSON.parse(resource) as unknown)
  return typeof parsed === 'object' && parsed !== null ? parsed : {}
}

function entryUrl({ request, fullUrl }: BundleEntry): EntryUrl | Problem {
  if (fullUrl !== undefined && (fullUrl.length > fullUrlCharsMax || !isAbsolute(fullUrl))) {
    const allowed = `Allowed: urn:uuid:…, urn:oid:…, https://…, at most ${fullUrlCharsMax} characters.`
    return problem(400, 'value', 'fullUrl must be an absolute URL.', { diagnostics: `${quoted(fullUrl)}: ${allowed}` })
  }
  if (fullUrl !== undefined && !isUrn(fullUrl) && withoutVersion(fullUrl) !== fullUrl) {
    return problem(400, 'invariant', 'fullUrl must not name a version.', { diagnostics: quoted(fullUrl) })
  }
  const [, type = '', id, query] = /^([^/?]+)(?:\/([^/?]+))?(?:\?(.*))?$/s.exec(String(request.url ?? '')) ?? []
  if (isTypeName(type) && (id === undefined || isId(id))) return { type, id, query }
  return problem(400, 'value', 'request.url must be a type, or a type and an id.', { diagnostics: allowed })
}

const allowed =
  'Allowed: POST Type, PUT Type/id, PUT Type?identifier=system|value, DELETE Type/id, DELETE Type?identifier=system|value, GET Type/id.'

function understood(entry: BundleEntry, url: EntryUrl, caller: Caller): Step | Problem | Problem[] {
  const { method } = entry.request
  if (method === 'GET') return readStep(entry, url, caller.grant)
  if (method !== 'POST' && method !== 'PUT' && method !== 'DELETE') return misfit
  const notWritable = checkType(url.type, caller.grant)
  if (notWritable) return notWritable
  const target = targetOf(entry, method, url, caller.grant)
  if ('status' in target) return target
  const ifMatch = ifMatchVersion(entry.request.ifMatch)
  if (ifMatch === 'invalid') return problem(400, 'value', 'ifMatch must name a version such as W/"3".')
  if (method === 'POST' && ifMatch !== undefined) {
    return problem(400, 'not-supported', 'ifMatch is for what exists: its request.method must be PUT or DELETE.')
  }
  if (method !== 'DELETE') return writeStep(entry, method, url.type, target, ifMatch, caller)
  return { kind: 'delete', index: entry.index, fullUrl: entry.fullUrl, type: url.type, target, ifMatch }
}

const misfit = problem(400, 'not-supported', 'request.method and request.url do not fit.', { diagnostics: allowed })

function readStep(
  { index, fullUrl, request }: BundleEntry,
  { type, id, query }: EntryUrl,
  grant: Grant,
): Step | Problem {
  if (type === 'AuditEvent') return problem(400, 'not-supported', 'AuditEvents cannot be read in a Bundle.')
  if (id === undefined || query !== undefined || request.ifNoneExist !== undefined) return misfit
  if (grant.readable(type) === 'none') return lacksRead(grant, [type])
  return { kind: 'read', index, fullUrl, type, id }
}

function targetOf(
  { request: { ifNoneExist } }: BundleEntry,
  method: 'POST' | 'PUT' | 'DELETE',
  { type, id, query }: EntryUrl,
  grant: Grant,
): Target | Problem {
  if (method === 'POST' && id === undefined && query === undefined) {
    if (ifNoneExist === undefined) return { kind: 'none' }
    return conditional(readCondition(type, String(ifNoneExist), grant))
  }
  if (method === 'POST') return misfit
  if (ifNoneExist !== undefined) {
    return problem(400, 'not-supported', 'ifNoneExist is for creating: its request.method must be POST.')
  }
  if (id !== undefined) return query === undefined ? { kind: 'id', id } : misfit
  return query === undefined ? misfit : conditional(readCondition(type, query, grant))
}

const conditional = (query: IdentifierQuery | Problem): Target | Problem =>
  'status' in query ? query : { kind: 'condition', query }

function writeStep(
  { index, fullUrl, resource }: BundleEntry,
  method: 'POST' | 'PUT',
  type: string,
  target: Target,
  ifMatch: number | undefined,
  { grant, base }: Caller,
): Step | Problem | Problem[] {
  if (resource === undefined) return problem(400, 'required', 'The entry has no resource.')
  const isNamed = method === 'PUT' && target.kind === 'condition' && statedBy(resource).id !== undefined
  const id = target.kind === 'id' ? target.id : isNamed ? undefined : randomUUID()
  const source = oneLine(resource)
  // What is created is hardly ever stored as it was sent, for others refer to it and it refers to others.
  const draft =
    method === 'POST' && id !== undefined ? sketchOfSent(source, [base], id) : draftOfSent(source, [base], id)
  if ('fault' in draft) return faultProblem(draft)
  if (draft.type !== type || (target.kind === 'id' && draft.statedId !== target.id)) {
    return problem(400, 'value', 'The resource is not the one that request.url names.')
  }
  // A Bundle only passes on what others say, but they say it in this one.
  const conditional = draft.conditional || type === 'Bundle' ? conditionalReferences(source, grant) : noQueries
  if (Array.isArray(conditional)) return conditional
  return {
    kind: method === 'POST' ? 'create' : 'update',
    index,
    fullUrl,
    type,
    target,
    source,
    draft,
    statedId: isId(draft.statedId) ? draft.statedId : undefined,
    conditional,
    ifMatch,
  }
}

const noQueries: ReadonlyMap<string, IdentifierQuery> = new Map()

/** The conditional references of a resource. They tell what exists, as conditions of requests do. */
function conditionalReferences(resource: string, grant: Grant): ReadonlyMap<string, IdentifierQuery> | Problem[] {
  const queries = new Map<string, IdentifierQuery>()
  const problems: Problem[] = []
  for (const reference of new Set(referencesIn(resource))) {
    if (!isConditional(reference)) continue
    const read = readIdentifierQuery(reference)
    if ('unusable' in read) {
      const diagnostics = `${quoted(reference)}: ${read.unusable}`
      problems.push(problem(400, 'not-supported', 'A conditional reference must be one identifier.', { diagnostics }))
    } else if (!grant.canRead(read.type)) problems.push(lacksRead(grant, [read.type]))
    else queries.set(reference, read)
  }
  return problems.length > 0 ? problems : queries
}
