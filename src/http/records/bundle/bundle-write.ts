import type { FastifyRequest } from 'fastify'
import type { Problem } from '../../../protocol/problem.ts'
import type { Change, Outcome } from '../../../records/write/change.ts'
import type { DecidedChanges } from '../../../records/write/decided-changes.ts'
import { callerOf } from '../../caller.ts'
import type { StoreContext } from '../../context.ts'
import { keysKnown, writeAdmitted } from '../admitted-write.ts'
import { versionConflict } from '../version-conflict.ts'
import type { BundleBody } from './bundle-body.ts'
import { inEntry } from './entry-step.ts'
import { type Planned, planOf } from './plan.ts'
import { ResolvedDrafts } from './resolved-drafts.ts'
import { noView, viewOf } from './store-view.ts'

/** What a Bundle did. */
export interface BundleResult {
  readonly planned: readonly Planned[]
  /** Of each entry that changes something, by its place. */
  readonly outcomes: ReadonlyMap<number, Outcome>
}

/** Carries out what a Bundle changes. Of a transaction with problems nothing, and all of them are returned. */
export async function writeBundle(
  request: FastifyRequest,
  context: StoreContext,
  { type, steps, questions }: BundleBody,
): Promise<BundleResult | readonly Problem[]> {
  const { tenant, base } = callerOf(request)
  const drafts = new ResolvedDrafts()
  let planned = planOf(steps, noView, type, [base], drafts)
  const asksNothing = questions.queries.length === 0 && questions.keys.length === 0
  if (asksNothing && type === 'transaction' && problemsOf(planned).length > 0) return problemsOf(planned)
  const decided: DecidedChanges = {
    alone: questions.alone,
    decide: async (client) => {
      planned = planOf(steps, await viewOf(client, tenant, questions), type, [base], drafts)
      return type === 'transaction' && problemsOf(planned).length > 0 ? [] : changesOf(planned)
    },
  }
  const written = await writeAdmitted(request, context, asksNothing ? changesOf(planned) : decided, {
    allOrNothing: type === 'transaction',
    known: asksNothing ? [] : keysKnown(changesOf(planned)),
  })
  if (type === 'transaction' && problemsOf(planned).length > 0) return problemsOf(planned)
  const outcomes = new Map<number, Outcome>()
  for (const [at, { kind }] of planned.entries()) if (kind === 'change') outcomes.set(at, written[outcomes.size]!)
  const conflicts = [...outcomes].filter(([, { kind }]) => kind === 'conflict')
  if (type === 'batch' || conflicts.length === 0) return { planned, outcomes }
  return conflicts.map(([at, outcome]) => inEntry(versionConflict(outcome), at))
}

const problemsOf = (planned: readonly Planned[]): Problem[] =>
  planned.flatMap((entry) => (entry.kind === 'refused' ? entry.problems : []))

const changesOf = (planned: readonly Planned[]): Change[] =>
  planned.flatMap((entry) => (entry.kind === 'change' ? [entry.change] : []))
