import { statfsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../failure.ts'
import { errorReason } from '../error-code.ts'
import type { DatabaseLog } from '../event.ts'
import type { DataDirectory } from './data-directory.ts'
import type { Hold } from './hold.ts'
import { boundServerLog } from './server-log.ts'

const beatMs = 500
const logCheckMs = 3_600_000
/** More deaths than this within the window are not mended: something kills the server again and again. */
const lossesMax = 5
const lossWindowMs = 60_000

/** Recovery makes a new file of its log, 16 MiB; with less than two of them free it may fail, whatever else it says. */
const recoveryBytesMin = 32 * 1024 * 1024
/** How often it is looked whether a full disk has room again. */
const fullDiskPauseMs = 5_000

/** Watches over a hold and takes a new one when the server is lost. */
export interface Keeper {
  /** Resolves when the server cannot be brought back. */
  readonly lost: Promise<Failure>
  release(): Promise<void>
}

/**
 * Keeps a hold on the server. A beat that nobody reads means that the server or its supervisor has ended;
 * `attach` then starts or adopts one.
 * @param pauseMs between two looks at a full disk; tests do not wait
 * @param elapsed milliseconds, by a clock that nobody sets
 */
export function keep(
  place: DataDirectory,
  first: Hold,
  attach: () => Promise<Hold>,
  log: DatabaseLog,
  pauseMs = fullDiskPauseMs,
  elapsed = () => performance.now(),
): Keeper {
  const lost = Promise.withResolvers<Failure>()
  const losses: number[] = []
  let hold = first
  let recovery: Promise<void> | undefined
  let released = false
  const stopped = Promise.withResolvers<void>()

  /** A server that finds no room cannot come back until somebody has made some: it is tried again and again, and told. */
  async function attachWithRoom(began: number): Promise<Hold> {
    for (;;) {
      try {
        return await attach()
      } catch (error) {
        if (released || !(isDiskFull(place) || toldFull.test(errorReason(error)))) throw error
        const ms = Math.round(elapsed() - began)
        log({ event: 'database-waiting', directory: place.root, reason: 'its disk is full', ms })
        await Promise.race([sleep(pauseMs, undefined, { ref: false }), stopped.promise])
      }
    }
  }

  async function recover(): Promise<void> {
    log({ event: 'database-lost', directory: place.root })
    hold.release()
    const began = elapsed()
    try {
      if (!isDiskFull(place)) countLoss(losses, began)
      const next = await attachWithRoom(began)
      hold = next
      log({ event: 'database-ready', directory: place.root, ms: Math.round(elapsed() - began) })
    } catch (error) {
      if (released) return
      clearInterval(heart)
      const failure = asFailure(error)
      log({ event: 'database-given-up', directory: place.root, reason: failure.message })
      lost.resolve(failure)
    } finally {
      recovery = undefined
    }
  }

  const heart = setInterval(() => {
    if (recovery === undefined && !hold.beat()) recovery = recover()
  }, beatMs).unref()
  const logCheck = setInterval(() => boundServerLog(place), logCheckMs).unref()

  return {
    lost: lost.promise,
    release: async () => {
      released = true
      stopped.resolve()
      clearInterval(heart)
      clearInterval(logCheck)
      await recovery
      hold.release()
    },
  }
}

/** What a server whose disk is full writes into its log. */
const toldFull = /No space left on device|Disk quota exceeded/

function isDiskFull({ root }: DataDirectory): boolean {
  const { bavail, bsize } = statfsSync(root)
  return bavail * bsize < recoveryBytesMin
}

function countLoss(losses: number[], now: number): void {
  while (losses[0] !== undefined && now - losses[0] > lossWindowMs) losses.shift()
  losses.push(now)
  if (losses.length <= lossesMax) return
  throw new Failure(
    `The embedded PostgreSQL has died ${losses.length} times within a minute.`,
    'Read postgres.log in the data directory; look for a memory limit or a program that kills it.',
  )
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  return new Failure(
    `The embedded PostgreSQL was lost and could not be started again: ${errorReason(error)}.`,
    'Read postgres.log in the data directory and start Millrace again.',
    { cause: error },
  )
}
