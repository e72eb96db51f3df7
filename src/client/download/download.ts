import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../failure.ts'
import { attemptsMax, awaitedMsMax, barrenAttemptsMax } from '../limits.ts'
import type { OfferedFile } from '../manifest.ts'
import type { Run } from '../run.ts'
import { isOutage } from '../session/network-outage.ts'
import { backOffMs } from '../session/waiting.ts'
import { type Findings, type Inspection, inspect } from './inspection.ts'
import { type Coding, dropLabel, dropPart, findPart } from './partial-download.ts'
import { AttemptFailed, receive } from './receive.ts'
import { BrokenGzip, inspectStored, recode } from './stored-file.ts'

/** Where files go and how. */
export interface Destination {
  readonly directory: string
  /** How files are kept, whatever way they are sent. */
  readonly coding: Coding
  readonly requiresAccessToken: boolean
}

/** A file on disk: under its own name when it has no fault, else as `<name>.rejected`. */
export interface Downloaded {
  readonly file: OfferedFile
  readonly path: string
  readonly bytes: number
  readonly findings: Findings
}

/**
 * Brings one file to its place: takes the one that an earlier run left there if it is sound, else downloads it, attempt
 * after attempt, checks it and renames it into place.
 * @throws FileRefused when the server will not give it, Failure when attempts are used up or the disk fails
 */
export async function download(run: Run, file: OfferedFile, destination: Destination): Promise<Downloaded> {
  const { directory, coding } = destination
  const path = join(directory, `${file.stem}${coding === 'gzip' ? '.ndjson.gz' : '.ndjson'}`)
  const kept = await keptFile(file, path, coding)
  if (kept) return kept
  const part = `${path}.part`
  for (let attempts = 1, barren = 0, best = 0, awaitedMs = 0; ; attempts++) {
    try {
      const sent = await receive(run, file, destination.requiresAccessToken, part)
      return await land(file, part, sent, path, coding)
    } catch (error) {
      if (run.signal.aborted) throw error
      if (isOfDisk(error)) throw diskFailure(error)
      if (!mayPass(error)) throw error
      if (error instanceof BrokenGzip) await dropPart(part)
      const { have } = await findPart(part)
      const askedMs = error instanceof AttemptFailed ? error.waitMs : undefined
      awaitedMs += askedMs ?? 0
      const isAwaited = askedMs !== undefined && awaitedMs <= awaitedMsMax
      if (!isAwaited) barren = have > best ? 0 : barren + 1
      best = Math.max(best, have)
      if (barren >= barrenAttemptsMax || attempts >= attemptsMax) throw givenUp(path, error)
      const waitMs = askedMs ?? backOffMs(barren, run.clock.random)
      run.report({ kind: 'retry', what: `downloading ${file.stem}`, reason: error.message, waitMs })
      await run.clock.pause(waitMs, run.signal)
    }
  }
}

/** A file that is in place and still as it should be; another one is removed to be fetched again. */
async function keptFile(file: OfferedFile, path: string, coding: Coding): Promise<Downloaded | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (!found) return undefined
  const inspection = inspect(file)
  const whole = await inspectStored(path, coding, inspection).then(
    () => true,
    (error: unknown) => {
      if (error instanceof BrokenGzip) return false
      throw error
    },
  )
  if (whole && inspection.findings().faults.length === 0) {
    await dropPart(`${path}.part`)
    return downloaded(file, path, inspection)
  }
  await rm(path)
  return undefined
}

/** Checks a whole part and gives it its name. @throws BrokenGzip */
async function land(file: OfferedFile, part: string, sent: Coding, path: string, coding: Coding): Promise<Downloaded> {
  const inspection = inspect(file)
  const ready = sent === coding ? part : `${path}.tmp`
  if (ready === part) await inspectStored(part, sent, inspection)
  else await recode(part, sent, ready, inspection)
  const rejected = `${path}.rejected`
  const final = inspection.findings().faults.length === 0 ? path : rejected
  await rm(rejected, { force: true })
  await rename(ready, final)
  if (ready === part) await dropLabel(part)
  else await dropPart(part)
  return downloaded(file, final, inspection)
}

async function downloaded(file: OfferedFile, path: string, inspection: Inspection): Promise<Downloaded> {
  return { file, path, bytes: (await stat(path)).size, findings: inspection.findings() }
}

const mayPass = (error: unknown): error is Error =>
  error instanceof AttemptFailed || error instanceof BrokenGzip || isOutage(error)

const diskErrors: ReadonlySet<unknown> = new Set(['EACCES', 'EDQUOT', 'EIO', 'EMFILE', 'ENOENT', 'ENOSPC', 'EROFS'])

const isOfDisk = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && diskErrors.has(error.code)

const diskFailure = (error: Error) =>
  new Failure(
    `A file could not be written: ${error.message}`,
    'Make room or mend the directory, then run the same command again: it continues.',
    { cause: error },
  )

const givenUp = (path: string, error: Error) =>
  new Failure(
    `${path} could not be downloaded: ${error.message}`,
    'Run the same command again: it continues with what is there.',
    { cause: error },
  )
