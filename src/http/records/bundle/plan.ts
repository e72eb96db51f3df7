import { BundleIdentities, endOf, type NamedEntry } from '../../../fhir/bundle/bundle-identities.ts'
import type { IdentifierQuery } from '../../../fhir/bundle/identifier-query.ts'
import { type Problem, problem } from '../../../protocol/problem.ts'
import { type Draft, provenanceTargetsMax } from '../../../records/draft.ts'
import type { Identified } from '../../../records/identifiers.ts'
import type { Change } from '../../../records/write/change.ts'
import { faultProblem } from '../resource-body.ts'
import { type Decision, decisionsOf } from './decision.ts'
import { inEntry } from './entry-step.ts'
import { type Names, type Resolved, resolved } from './references.ts'
import { Refusals } from './refusals.ts'
import { ResolvedDrafts } from './resolved-drafts.ts'
import type { BundleType, Step, Write } from './step.ts'
import { AskedIdentifiers, queryKey, questionsOf, type StoreView, withoutKeys } from './store-view.ts'

/** What is to be done for an entry. `key` is the `Type/id` of its record. */
export type Planned =
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
  | { readonly kind: 'read'; readonly type: string; readonly id: string }
  | { readonly kind: 'change'; readonly key: string; readonly change: Change }
  /** A conditional create has found its record; without `record` it is one that another entry creates. */
  | { readonly kind: 'found'; readonly key: string; readonly record: Identified | undefined }
  | { readonly kind: 'nothing' }

/**
 * Plans a whole Bundle: which records its entries mean, what their references become, and everything that is wrong. Pure: what it has to
 * know of the store is in `store`.
 * @param bases see `draftOf`
 * @param drafts those of an earlier plan of the same steps, most of which are the same again
 */
export function planOf(
  steps: readonly Step[],
  store: StoreView,
  type: BundleType,
  bases: readonly string[],
  drafts = new ResolvedDrafts(),
): readonly Planned[] {
  const asked = new AskedIdentifiers(questionsOf(steps).queries)
  const decisions = decisionsOf(steps, store, asked)
  const keys = decisions.map(({ key }, at) => key ?? nobody(at))
  const identities = new BundleIdentities(steps.map((step, at) => namedEntry(step, keys[at]!)))
  const names = namesOf(steps, decisions, identities, store, asked, type)
  const refusals = new Refusals(type)
  const planned = steps.map((step, at) => {
    const [decision, key] = [decisions[at]!, keys[at]!]
    const entry = { at, key, isNew: isNewRecord(step, decision) }
    if (decision.kind === 'refused') refusals.refuse(entry, decision.problems)
    if (decision.kind === 'nothing' || decision.kind === 'delete') refusals.holdsNoRecord(key)
    if (decision.kind === 'found') refusals.depends([key], entry)
    if (step.fullUrl !== undefined && identities.isDuplicate(step.fullUrl)) {
      refusals.refuse(entry, [inEntry(sameFullUrl, step.index)])
    }
    if (decision.kind !== 'write' || (step.kind !== 'create' && step.kind !== 'update')) return undefined
    const references = resolved(step, names)
    refusals.depends(references.named, entry)
    const draft = draftWith(step, decision.id, references, bases, drafts)
    if (!Array.isArray(draft)) return draft
    refusals.refuse(entry, draft)
    return undefined
  })
  for (const at of beyondTargets(planned)) {
    refusals.refuse({ at, key: keys[at]!, isNew: isNewRecord(steps[at]!, decisions[at]!) }, [
      inEntry(tooManyTargets, at),
    ])
  }
  const refused = refusals.all()
  return steps.map((step, at) => {
    const problems = refused.get(at)
    return problems ? { kind: 'refused', problems } : plannedOf(step, decisions[at]!, planned[at])
  })
}

/** Targets of all Provenances of a Bundle: each is looked up while the write may hold up all others. */
const bundleTargetsMax = provenanceTargetsMax

const tooManyTargets = problem(
  413,
  'too-long',
  `The Provenances of a Bundle may have at most ${bundleTargetsMax} targets.`,
)

/** The places of Provenances that go beyond. */
function beyondTargets(drafts: readonly (Draft | undefined)[]): number[] {
  let targets = 0
  return drafts.flatMap((draft, at) => {
    targets += draft?.targets.length ?? 0
    return draft !== undefined && draft.targets.length > 0 && targets > bundleTargetsMax ? [at] : []
  })
}

const sameFullUrl = problem(400, 'invariant', 'Several entries of the Bundle have the same fullUrl.')

/** Stands for the record of an entry that has none: no `Type/id` looks like this. */
const nobody = (at: number): string => `entry[${at}]`

/** Whether the record of an entry exists only if the entry is carried out. */
const isNewRecord = (step: Step, decision: Decision): boolean =>
  step.kind === 'create' || decision.key === undefined || (decision.kind === 'write' && decision.seen === 0)

function namedEntry(step: Step, key: string): NamedEntry {
  const last = endOf(step.fullUrl)
  return { fullUrl: step.fullUrl, stated: [...statedKeys(step), last].filter((name) => name !== undefined), key }
}

/** Each `Type/id` by which others may mean an entry, without knowing which id its record gets. */
function statedKeys(step: Step): (string | undefined)[] {
  switch (step.kind) {
    case 'refused':
      return [step.key, step.stated]
    case 'read':
      return [`${step.type}/${step.id}`]
    case 'delete':
      return step.target.kind === 'id' ? [`${step.type}/${step.target.id}`] : []
    default:
      return typeof step.draft.statedId === 'string' ? [`${step.type}/${step.draft.statedId}`] : []
  }
}

function namesOf(
  steps: readonly Step[],
  decisions: readonly Decision[],
  identities: BundleIdentities,
  store: StoreView,
  asked: AskedIdentifiers,
  type: BundleType,
): Names {
  const sources = new Map<string, string>()
  const own = new Map<string, string[]>()
  const changed = new Set<string>()
  for (const [at, step] of steps.entries()) {
    const decision = decisions[at]!
    if (decision.kind !== 'write' && decision.kind !== 'delete') continue
    changed.add(decision.key)
    if (step.kind !== 'create' && step.kind !== 'update') continue
    sources.set(decision.key, step.source)
    for (const name of asked.of(step.draft)) {
      const keys = own.get(name)
      if (keys) keys.push(decision.key)
      else own.set(name, [decision.key])
    }
  }
  const known = new Map<string, readonly string[]>()
  // The entries of a batch do not depend on each other: there, what is in the store counts.
  const find = (query: IdentifierQuery): string[] => {
    const stored = withoutKeys(store.identified(query), query.type, type === 'batch' ? new Set() : changed)
    const keys = stored.map(({ id }) => `${query.type}/${id}`)
    return type === 'batch' ? keys : [...keys, ...(own.get(queryKey(query)) ?? [])]
  }
  const identified = (query: IdentifierQuery): readonly string[] => {
    const name = queryKey(query)
    const found = known.get(name) ?? find(query).slice(0, 2)
    known.set(name, found)
    return found
  }
  // Records may name one entry again and again: its text is read for it once.
  const urls = new Map<string, string | undefined>()
  const canonicalOf = (key: string): string | undefined => {
    if (!urls.has(key)) urls.set(key, urlIn(sources.get(key)))
    return urls.get(key)
  }
  return { identities, identified, canonicalOf }
}

/** `url` of a resource, which many types have as a name of their own: what only looks like the place of the record. */
function urlIn(source: string | undefined): string | undefined {
  if (!source?.includes('"url"')) return undefined
  const { url } = JSON.parse(source) as { url?: unknown }
  return typeof url === 'string' ? url : undefined
}

function draftWith(
  step: Write,
  id: string,
  { text, problems }: Resolved,
  bases: readonly string[],
  drafts: ResolvedDrafts,
): Draft | Problem[] {
  if (problems.length > 0) return problems.map((found) => inEntry(found, step.index))
  const draft = drafts.of(step, text, id, bases)
  return 'fault' in draft ? [inEntry(faultProblem(draft), step.index)] : draft
}

function plannedOf(step: Step, decision: Decision, draft: Draft | undefined): Planned {
  if (decision.kind === 'nothing' || decision.kind === 'found' || decision.kind === 'refused') return decision
  if (step.kind === 'read') return step
  if (decision.kind === 'read' || step.kind === 'refused') throw new Error('An entry was decided on as what it is not.')
  const { key, id, seen } = decision
  const conditions = {
    ...(step.ifMatch === undefined ? {} : { ifMatch: step.ifMatch }),
    ...(seen === undefined ? {} : { seen }),
  }
  if (step.kind === 'delete') {
    return { kind: 'change', key, change: { kind: 'delete', key: { type: step.type, id }, ...conditions } }
  }
  const fresh = step.kind === 'create' ? ({ isFresh: true } as const) : {}
  return { kind: 'change', key, change: { kind: 'put', draft: draft!, ...fresh, ...conditions } }
}
