import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../failure.ts'
import type { DataDirectory } from './data-directory.ts'
import { type Hold, takeHold } from './hold.ts'
import { runningPostmaster } from './postmaster.ts'
import { type Answer, createDatabase, type EmbeddedConnection, probe } from './probe.ts'
import { serverLogSince, serverLogSize } from './server-log.ts'
import { adoptServer, type Supervision } from './supervisor.ts'

/** Pause before a server that is not ready is asked again: at first short, then long, because each question is logged. */
const firstPauseMs = 10
const laterPauseMs = 200
const laterAfterMs = 2_000
/** How long a server may stay without any answer, and how long it may say that it is starting or stopping. */
const silentMsMax = 60_000
const busyMsMax = 900_000
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
  readonly signal: AbortSignal
}

interface Progress {
  hold: Hold | undefined
  started: { readonly supervision: Supervision; readonly logPosition: number } | undefined
  failedStarts: number
  silentSince: number
  readonly since: number
}

/**
 * Takes a hold on a server that answers: the one that runs, or a new one. Several programs may do this at once;
 * PostgreSQL's own lock file lets one server live, and the losers' programs use it.
 * @throws Failure when no server comes up, with the end of its log.
 */
export async function attach(surroundings: Surroundings): Promise<Hold> {
  const now = Date.now()
  const progress: Progress = {
    hold: takeHold(surroundings.place.hold),
    started: undefined,
    failedStarts: 0,
    silentSince: now,
    since: now,
  }
  const logPosition = serverLogSize(surroundings.place)
  try {
    for (;;) {
      const hold = await step(surroundings, progress)
      if (hold !== undefined) return hold
      checkPatience(surroundings.place, progress, logPosition)
      const pauseMs = Date.now() - now < laterAfterMs ? firstPauseMs : laterPauseMs
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
  if (answer !== 'silent') progress.silentSince = Date.now()
  // The order matters: a supervisor that still reads after the server has answered has not begun to stop it.
  if (progress.hold?.beat() === false) drop(progress)
  if (progress.started?.supervision.ended()) judgeDeath(surroundings.place, progress)
  if (progress.hold !== undefined) return answer === 'ready' ? progress.hold : undefined
  progress.hold = takeHold(surroundings.place.hold) ?? supervise(surroundings, progress, answer)
  return undefined
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
  // A server that does not answer yet is starting, which it will finish, or stopping, which must not be disturbed.
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

function checkPatience(place: DataDirectory, progress: Progress, logPosition: number): void {
  const now = Date.now()
  const silent = now - progress.silentSince > silentMsMax
  if (silent || now - progress.since > busyMsMax) {
    throw notStarted(silent ? 'it does not answer' : 'it stays busy', serverLogSince(place, logPosition))
  }
}

function notStarted(reason: string, log: string): Failure {
  return new Failure(
    `The embedded PostgreSQL does not start: ${reason}. Its log ends with:\n${log}`,
    'Mend the cause that the log names (disk space, permissions), or use --database-url.',
  )
}
