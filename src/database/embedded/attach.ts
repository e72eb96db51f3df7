import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../failure.ts'
import { errorCode, errorReason } from '../error-code.ts'
import type { DataDirectory } from './data-directory.ts'
import { type Hold, takeHold } from './hold.ts'
import { runningPostmaster } from './postmaster.ts'
import { type Answer, createDatabase, type EmbeddedConnection, probe } from './probe.ts'
import { serverLogSince, serverLogSize } from './server-log.ts'
import { adoptServer, endingMsMax, type Supervision } from './supervisor.ts'

/** Pause before a server that is not ready is asked again: at first short, then long, because each question is logged. */
const firstPauseMs = 10
const laterPauseMs = 200
const laterAfterMs = 2_000
/** How long a server may stay without any answer, and how long it may say that it is starting or recovering. */
const silentMsMax = 60_000
const busyMsMax = 900_000
/** A server that says for this long that it stops has nobody who ends it: its supervisor would have. */
const stoppingMsMax = endingMsMax + 5_000
/** How long a server that we end may take after SIGQUIT, and then after SIGKILL. */
const endedMsMax = 10_000
/** Whoever waits is told why: after this time, and then again and again. */
const toldAfterMs = 10_000
const toldEveryMs = 30_000
/** How often a server that dies at once is started again, when its log does not say that another one is in the way. */
const failedStartsMax = 3
/** The log of a server that found the cluster still in use: another one won, or an old one's processes are still ending. */
const inUse = /lock file ".*" already exists|shared memory block .* is still in use/

/** What `attach` needs of its surroundings. */
export interface Surroundings {
  readonly place: DataDirectory
  readonly connection: EmbeddedConnection
  /** Starts a server under a supervisor. */
  start(): Supervision
  /** Called before a server without a supervisor gets a new one. */
  adopting(pid: number): void
  /** Called when a server that stops for ever gets a signal that ends it. */
  ending(pid: number, signal: string): void
  /** Called while it takes long, with what the server says. */
  waiting(reason: string, ms: number): void
  readonly signal: AbortSignal
}

interface Progress {
  hold: Hold | undefined
  started: { readonly supervision: Supervision; readonly logPosition: number } | undefined
  failedStarts: number
  /** What the server said last, and since when it has been saying so. */
  answer: Answer
  answeredSince: number
  /** When it last said anything at all. */
  silentSince: number
  /** When the wait was last told of. */
  told: number
  readonly since: number
}

/** What a wait is for. */
const reasons: Readonly<Record<Answer, string>> = {
  ready: 'it gets a supervisor',
  missing: 'it gets its database',
  starting: 'it starts, or recovers from a crash',
  stopping: 'it stops, and is started again then',
  silent: 'it does not answer',
}

/**
 * Takes a hold on a server that answers: the one that runs, or a new one. Several programs may do this at once;
 * PostgreSQL's own lock file lets one server live, and the losers' programs use it.
 * @throws Failure when no server comes up, with the end of its log.
 */
export async function attach(surroundings: Surroundings): Promise<Hold> {
  const now = performance.now()
  const progress: Progress = {
    hold: takeHold(surroundings.place.hold),
    started: undefined,
    failedStarts: 0,
    answer: 'silent',
    answeredSince: now,
    silentSince: now,
    told: now - toldEveryMs + toldAfterMs,
    since: now,
  }
  const logPosition = serverLogSize(surroundings.place)
  try {
    for (;;) {
      const hold = await step(surroundings, progress)
      if (hold !== undefined) return hold
      checkPatience(surroundings.place, progress, logPosition)
      tell(surroundings, progress)
      const pauseMs = performance.now() - now < laterAfterMs ? firstPauseMs : laterPauseMs
      await sleep(pauseMs, undefined, { signal: surroundings.signal })
    }
  } catch (error) {
    progress.hold?.release()
    throw error
  }
}

async function step(surroundings: Surroundings, progress: Progress): Promise<Hold | undefined> {
  const answer = await ask(surroundings.connection)
  surroundings.signal.throwIfAborted()
  note(progress, answer)
  // The order matters: a supervisor that still reads after the server has answered has not begun to stop it.
  if (progress.hold?.beat() === false) drop(progress)
  if (progress.started?.supervision.ended()) judgeDeath(surroundings.place, progress)
  if (answer === 'stopping' && performance.now() - progress.answeredSince > stoppingMsMax) {
    await end(surroundings)
    progress.answeredSince = performance.now()
    return undefined
  }
  if (progress.hold !== undefined) return answer === 'ready' ? progress.hold : undefined
  progress.hold = takeHold(surroundings.place.hold) ?? supervise(surroundings, progress, answer)
  return undefined
}

function note(progress: Progress, answer: Answer): void {
  const now = performance.now()
  if (answer !== 'silent') progress.silentSince = now
  if (answer === progress.answer) return
  progress.answer = answer
  progress.answeredSince = now
}

/**
 * Ends a server that was told to stop and does not, such as one that recovered from the death of one of its processes meanwhile and
 * lost its supervisor. What was committed is in its log; the next server reads it.
 */
async function end({ place, ending }: Surroundings): Promise<void> {
  for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
    const pid = runningPostmaster(place)
    if (pid === undefined) return
    ending(pid, signal)
    try {
      process.kill(pid, signal)
    } catch (error) {
      if (errorCode(error) === 'ESRCH') return
      throw notEnded(pid, error)
    }
    const deadline = performance.now() + endedMsMax
    while (runningPostmaster(place) === pid && performance.now() < deadline) await sleep(laterPauseMs)
  }
}

/** A database that is missing is created; the server counts as ready when it is asked again. */
async function ask(connection: EmbeddedConnection): Promise<Answer> {
  const answer = await probe(connection)
  if (answer === 'missing') await createDatabase(connection)
  return answer
}

function supervise(surroundings: Surroundings, progress: Progress, answer: Answer): Hold | undefined {
  const { place } = surroundings
  const running = runningPostmaster(place)
  if (running === undefined) {
    const logPosition = serverLogSize(place)
    progress.started = { supervision: surroundings.start(), logPosition }
    return progress.started.supervision.hold
  }
  // A server that does not answer yet is starting, which it will finish, or stopping, which has its time.
  if (answer !== 'ready') return undefined
  surroundings.adopting(running)
  return adoptServer(place, running).hold
}

function judgeDeath(place: DataDirectory, progress: Progress): void {
  const log = serverLogSince(place, progress.started?.logPosition ?? 0)
  drop(progress)
  if (inUse.test(log)) return
  progress.failedStarts += 1
  if (progress.failedStarts >= failedStartsMax) throw notStarted('it ends at once', log)
}

function drop(progress: Progress): void {
  progress.hold?.release()
  progress.hold = undefined
  progress.started = undefined
}

function tell({ waiting }: Surroundings, progress: Progress): void {
  const now = performance.now()
  if (now - progress.told < toldEveryMs) return
  progress.told = now
  waiting(reasons[progress.answer], now - progress.since)
}

function checkPatience(place: DataDirectory, progress: Progress, logPosition: number): void {
  const now = performance.now()
  if (now - progress.silentSince > silentMsMax) {
    const pid = runningPostmaster(place)
    const log = serverLogSince(place, logPosition)
    throw pid === undefined ? notStarted(reasons.silent, log) : silentServer(pid, log)
  }
  if (now - progress.since > busyMsMax) throw notStarted(reasons[progress.answer], serverLogSince(place, logPosition))
}

function notStarted(reason: string, log: string): Failure {
  return new Failure(
    `The embedded PostgreSQL does not start: ${reason}. Its log ends with:\n${log}`,
    'Mend the cause that the log names (disk space, permissions), or use --database-url.',
  )
}

/** A server that is there and says nothing is stopped by SIGSTOP, or waits for a disk. */
function silentServer(pid: number, log: string): Failure {
  return new Failure(
    `The embedded PostgreSQL (process ${pid}) does not answer. Its log ends with:\n${log}`,
    `If it was paused, let it go on (kill -CONT ${pid}); else end it (kill -QUIT ${pid}), which loses nothing, and start again.`,
  )
}

function notEnded(pid: number, cause: unknown): Failure {
  return new Failure(
    `The embedded PostgreSQL (process ${pid}) stops and does not end, and cannot be ended: ${errorReason(cause)}.`,
    `End it as the user that it runs as (kill -QUIT ${pid}), which loses nothing, and start again.`,
    { cause },
  )
}
