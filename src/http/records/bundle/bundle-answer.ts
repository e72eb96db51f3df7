import { type OperationOutcome, operationOutcome } from '../../../fhir/operation-outcome.ts'
import { type Problem, problem } from '../../../protocol/problem.ts'
import type { Outcome } from '../../../records/write/change.ts'
import type { Caller } from '../../caller.ts'
import type { CarryingContext } from '../../context.ts'
import { readableCurrent, type Wanted } from '../readable-record.ts'
import { versionTag } from '../resource-body.ts'
import { versionConflict } from '../version-conflict.ts'
import type { BundleResult } from './bundle-write.ts'
import type { Planned } from './plan.ts'
import type { BundleType } from './step.ts'

/** Characters of resources that a Bundle's answer carries; the last one read may go beyond. */
const answerCharsMax = 32 * 1024 * 1024

/** An entry of the answer; `resource` is the stored text, sent as it is. */
export interface AnswerEntry {
  readonly resource?: string
  readonly response: {
    readonly status: string
    readonly location?: string
    readonly etag?: string
    readonly lastModified?: string
    readonly outcome?: OperationOutcome
  }
}

/** Answers each entry, in their order; reads are done here, after all changes. */
export async function answerEntries(
  context: CarryingContext,
  caller: Caller,
  { planned, outcomes }: BundleResult,
): Promise<AnswerEntry[]> {
  const written = new Map<string, Outcome>()
  for (const [at, entry] of planned.entries()) if (entry.kind === 'change') written.set(entry.key, outcomes.get(at)!)
  const answers: AnswerEntry[] = []
  let chars = 0
  for (const [at, entry] of planned.entries()) {
    if (entry.kind === 'read' && chars <= answerCharsMax) answers.push(await readEntry(context, caller, entry))
    else if (entry.kind === 'read') answers.push(refusal([answerTooLong]))
    else answers.push(unreadEntry(entry, outcomes.get(at), written, caller.base))
    chars += answers.at(-1)!.resource?.length ?? 0
  }
  return answers
}

const answerTooLong = problem(413, 'too-long', `The resources read are longer than ${answerCharsMax} characters.`)

const refusal = (problems: readonly Problem[]): AnswerEntry => ({
  response: { status: String(problems[0]!.status), outcome: operationOutcome(problems) },
})

async function readEntry(context: CarryingContext, caller: Caller, wanted: Wanted): Promise<AnswerEntry> {
  const found = await readableCurrent(context, caller, wanted)
  if (!found) return refusal([problem(404, 'not-found', 'There is no such resource.')])
  if (found.body === null) return refusal([problem(410, 'deleted', 'The resource was deleted.')])
  const { body, version, updated } = found
  return {
    resource: body,
    response: { status: '200', etag: versionTag(version), lastModified: updated.toISOString() },
  }
}

function unreadEntry(
  entry: Exclude<Planned, { kind: 'read' }>,
  outcome: Outcome | undefined,
  written: ReadonlyMap<string, Outcome>,
  base: string,
): AnswerEntry {
  if (entry.kind === 'refused') return refusal(entry.problems)
  if (entry.kind === 'nothing') return { response: { status: '204' } }
  if (entry.kind === 'change') return changeEntry(entry.key, outcome!, base)
  // What was found may have got another version from another entry.
  const now = written.get(entry.key)
  if (now?.lastUpdated !== undefined && now.kind !== 'deleted') {
    return { response: { ...changeEntry(entry.key, now, base).response, status: '200' } }
  }
  const { version, updated } = entry.record!
  return {
    response: {
      status: '200',
      location: `${base}/${entry.key}/_history/${version}`,
      etag: versionTag(version),
      lastModified: updated.toISOString(),
    },
  }
}

function changeEntry(key: string, outcome: Outcome, base: string): AnswerEntry {
  if (outcome.kind === 'conflict') return refusal([versionConflict(outcome)])
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

/** The Bundle of the answer as text. Resources are whole JSON texts of the store, everything else is made here. */
export function answerText(type: BundleType, entries: readonly AnswerEntry[]): string {
  const texts = entries.map(({ resource, response }) => {
    const before = resource === undefined ? '' : `"resource":${resource},`
    return `{${before}"response":${JSON.stringify(response)}}`
  })
  return `{"resourceType":"Bundle","type":"${type}-response","entry":[${texts.join(',')}]}`
}
