import { type OperationOutcome, operationOutcome } from '../../../fhir/operation-outcome.ts'
import { type Problem, problem } from '../../../protocol/problem.ts'
import type { Admit } from '../../../records/read.ts'
import type { Outcome } from '../../../records/write/change.ts'
import { TooManyBytes } from '../../bytes/bytes-in-flight.ts'
import type { Room } from '../../bytes/room.ts'
import { tooManyBytesProblem } from '../../bytes/too-many-bytes.ts'
import type { Caller } from '../../caller.ts'
import type { StoreContext } from '../../context.ts'
import { binaryRefusal } from '../binary-answer.ts'
import { readableCurrent, type Wanted } from '../readable-record.ts'
import { versionTag } from '../resource-body.ts'
import { versionConflict } from '../version-conflict.ts'
import type { BundleResult } from './bundle-write.ts'
import type { Planned } from './plan.ts'
import type { BundleType } from './step.ts'

/** Bytes of resources that a Bundle's answer carries: as many as one record may have. */
const answerBytesMax = 16 * 1024 * 1024

/** An entry of the answer; `resource` is the stored text, sent as it is. */
export interface AnswerEntry {
  readonly resource?: string | Buffer
  readonly response: {
    readonly status: string
    readonly location?: string
    readonly etag?: string
    readonly lastModified?: string
    readonly outcome?: OperationOutcome
  }
}

/**
 * Answers each entry, in their order; reads are done here, after all changes. What is read takes of what is free; a read for which there is no
 * room is refused for itself.
 */
export async function answerEntries(
  context: StoreContext,
  caller: Caller,
  free: Room,
  { planned, outcomes }: BundleResult,
): Promise<AnswerEntry[]> {
  const written = new Map<string, Outcome>()
  for (const [at, entry] of planned.entries()) if (entry.kind === 'change') written.set(entry.key, outcomes.get(at)!)
  const answers: AnswerEntry[] = []
  let room = answerBytesMax
  const admit = async (bytes: number) => {
    if (bytes > room) throw new AnswerTooLong()
    await free.take(bytes)
    room -= bytes
  }
  for (const [at, entry] of planned.entries()) {
    if (entry.kind === 'read') answers.push(await readEntry(context, caller, entry, admit).catch(refuseRead))
    else answers.push(unreadEntry(entry, outcomes.get(at), written, caller.base))
  }
  return answers
}

class AnswerTooLong extends Error {}

const answerTooLong = problem(413, 'too-long', `The resources read are longer than ${answerBytesMax} bytes.`)

const refusal = (problems: readonly Problem[]): AnswerEntry => ({
  response: { status: String(problems[0]!.status), outcome: operationOutcome(problems) },
})

function refuseRead(error: Error): AnswerEntry {
  if (error instanceof AnswerTooLong) return refusal([answerTooLong])
  if (error instanceof TooManyBytes) return refusal([tooManyBytesProblem(error)])
  throw error
}

async function readEntry(context: StoreContext, caller: Caller, wanted: Wanted, admit: Admit): Promise<AnswerEntry> {
  const found = await readableCurrent(context, caller, wanted, admit)
  if (!found) return refusal([problem(404, 'not-found', 'There is no such resource.')])
  if (found.body === null) return refusal([problem(410, 'deleted', 'The resource was deleted.')])
  const refused = wanted.type === 'Binary' ? await binaryRefusal(context, caller, found.body, admit) : undefined
  if (refused) return refusal([refused])
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

/** The Bundle of the answer in UTF-8. Resources are whole JSON texts of the store, everything else is made here. */
export function answerBytes(type: BundleType, entries: readonly AnswerEntry[]): Buffer {
  const texts: (string | Buffer)[] = [`{"resourceType":"Bundle","type":"${type}-response","entry":[`]
  for (const [at, { resource, response }] of entries.entries()) {
    texts.push(at === 0 ? '{' : ',{')
    if (resource !== undefined) texts.push('"resource":', resource, ',')
    texts.push(`"response":${JSON.stringify(response)}}`)
  }
  texts.push(']}')
  return joined(texts)
}

/** All at once: text that is joined piece by piece would be there several times. */
function joined(texts: readonly (string | Buffer)[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0))
  let at = 0
  for (const text of texts) at += typeof text === 'string' ? bytes.write(text, at) : text.copy(bytes, at)
  return bytes
}
