import { Failure } from '../failure.ts'
import { answerBytesMax, failedPollsMax, manifestBytesMax, outageMsMax, progressTextMax } from './limits.ts'
import type { Run } from './run.ts'
import { isOutage } from './session/network-outage.ts'
import { explainAnswer, issuesIn, isTransient, plainText } from './session/outcome.ts'
import type { Answer } from './session/session.ts'
import { readText } from './session/transport.ts'
import { backOffMs, retryAfterMs } from './session/waiting.ts'

/** The job failed or is no more: asking again is useless, a new export is needed. */
export class JobLost extends Failure {}

/** What one look at a status URL shows. */
type Poll =
  | { readonly kind: 'running'; readonly progress: string | undefined; readonly waitMs: number | undefined }
  | { readonly kind: 'done'; readonly body: unknown; readonly url: URL }
  | { readonly kind: 'passing'; readonly reason: string; readonly waitMs: number | undefined }

/**
 * Polls until the job ends and returns the body of its manifest. Waits as long as `Retry-After` asks, else backs off; sits out
 * network errors, 429 and 5xx with a transient code (P4, P6) for a bounded number of polls and time.
 * @throws JobLost with the issues of a failed job (P5), Failure when the server cannot be asked
 */
export async function awaitManifest(run: Run, statusUrl: URL): Promise<{ body: unknown; url: URL }> {
  const { clock, signal, report } = run
  let failed = 0
  let failingSince = 0
  for (let quiet = 0; ; ) {
    const poll = await pollOnce(run, statusUrl)
    if (poll.kind === 'done') return poll
    if (poll.kind === 'running') {
      failed = 0
      const waitMs = poll.waitMs ?? backOffMs(quiet++, clock.random)
      report({ kind: 'running', progress: poll.progress, percent: percentIn(poll.progress), waitMs })
      await clock.pause(waitMs, signal)
      continue
    }
    if (failed === 0) failingSince = clock.now()
    if (failed >= failedPollsMax || clock.now() - failingSince > outageMsMax) throw givenUp(poll.reason)
    const waitMs = poll.waitMs ?? backOffMs(failed, clock.random)
    failed++
    report({ kind: 'retry', what: 'asking for the status', reason: poll.reason, waitMs })
    await clock.pause(waitMs, signal)
  }
}

/** Deletes the job and its files on the server. @throws Failure when the server does not say 202 or another 2xx */
export async function deleteJob({ session }: Run, statusUrl: URL): Promise<void> {
  const headers = { accept: 'application/fhir+json' }
  const { status, response } = await session.call({ method: 'DELETE', url: statusUrl, headers, token: 'same-origin' })
  const body = await readText(response, answerBytesMax)
  if (status >= 200 && status < 300) return
  throw new Failure(explainAnswer(response, body), `Send DELETE ${statusUrl.href} yourself.`)
}

async function pollOnce(run: Run, statusUrl: URL): Promise<Poll> {
  const headers = { accept: 'application/json' }
  try {
    const answer = await run.session.call({ method: 'GET', url: statusUrl, headers, token: 'same-origin' })
    const body = await readText(answer.response, answer.status === 200 ? manifestBytesMax : answerBytesMax)
    return judge(answer, body, run.clock.now())
  } catch (error) {
    if (run.signal.aborted || !isOutage(error)) throw error
    return { kind: 'passing', reason: error.message, waitMs: undefined }
  }
}

function judge({ status, response, url, withheldFrom }: Answer, body: string, nowMs: number): Poll {
  const waitMs = retryAfterMs(response.headers['retry-after'], nowMs)
  if (status === 202) {
    const progress = progressIn([response.headers['x-progress']].flat()[0], body)
    return { kind: 'running', progress: progress && plainText(progress, progressTextMax), waitMs }
  }
  if (status === 200) return { kind: 'done', body: parseJson(body), url }
  if (isPassing(status, body)) return { kind: 'passing', reason: explainAnswer(response, body), waitMs }
  if (status === 401 || status === 403) throw notAllowed(explainAnswer(response, body), withheldFrom)
  throw new JobLost(
    `The export ended without data: ${explainAnswer(response, body)}`,
    'Run the same command again to start a new export.',
  )
}

function isPassing(status: number, body: string): boolean {
  if (status === 429 || status === 408) return true
  if (status < 500) return false
  const issues = issuesIn(body)
  // Without an OperationOutcome these three come from a gateway, not from the job.
  return issues.length > 0 ? issues.some(isTransient) : [502, 503, 504].includes(status)
}

/** What the server says of its progress. Oracle's header is only a word; a server may then say more in the body. */
function progressIn(header: string | undefined, body: string): string | undefined {
  if (percentIn(header) !== undefined) return header
  return issuesIn(body).find(({ text }) => percentIn(text) !== undefined)?.text ?? header
}

/** The percentage in a progress text, 0 to 100. */
function percentIn(progress: string | undefined): number | undefined {
  const match = /(\d{1,3}(?:\.\d+)?)\s*%/.exec(progress ?? '')
  return match ? Math.min(Number(match[1]), 100) : undefined
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** The refusal of a request with a token, or of one that went without because its origin is not trusted. */
export function notAllowed(said: string, withheldFrom: string | undefined): Failure {
  if (withheldFrom === undefined) {
    return new Failure(said, 'Check that the client is allowed to do this, and its scopes (--scope, --type).')
  }
  return new Failure(
    `${said}. The token was not sent, because ${withheldFrom} is another origin than --server.`,
    `If it belongs to the server, run the same command again with --trust-origin ${withheldFrom}.`,
  )
}

const givenUp = (reason: string) =>
  new Failure(
    `The status of the export cannot be read: ${reason}`,
    'The job may still run on the server. Run the same command again to go on waiting for it.',
  )
