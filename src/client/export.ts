import { Failure } from '../failure.ts'
import { collect } from './download/collect.ts'
import type { Destination } from './download/download.ts'
import { type Folder, openFolder } from './download/folder.ts'
import { kickOff } from './kick-off.ts'
import { parallelDownloadsDefault, parallelDownloadsMax, problemsShownMax } from './limits.ts'
import { type Manifest, parseManifest } from './manifest.ts'
import { checkOrder, type ExportOrder } from './order.ts'
import type { ExportEvent, ExportSummary, FileSummary, Report } from './report.ts'
import type { Run } from './run.ts'
import { type Clock, systemClock } from './session/clock.ts'
import { isOutage } from './session/network-outage.ts'
import { openSession } from './session/session.ts'
import { type Credentials, tokenSource } from './session/token-source.ts'
import { awaitManifest, deleteJob, JobLost } from './status.ts'

/** One export from a Bulk Data server into a directory. */
export interface ExportOptions {
  /** FHIR base, such as `https://host/r4/tenant`. */
  readonly base: string
  /** Undefined for an open server. */
  readonly credentials: Credentials | undefined
  readonly order: ExportOrder
  /** New, empty, or with an unfinished export of the same options, which is then continued. */
  readonly directory: string
  /** Keep files as `.ndjson.gz`; they travel compressed either way. */
  readonly gzip?: boolean
  readonly parallel?: number
  /** Delete the job on the server once every check has passed. */
  readonly deleteAfter?: boolean
  /** Origins besides the base's that may see the token. */
  readonly trustedOrigins?: readonly string[]
  /** Ends this run; the job goes on, and the same call later continues with it. */
  readonly signal: AbortSignal
}

/** The files are here, but something is wrong with them: `summary.problems`. Its exit code is 2. */
export class DefectiveExport extends Failure {
  readonly summary: ExportSummary

  constructor(summary: ExportSummary) {
    const { problems } = summary
    const shown = problems.slice(0, problemsShownMax).map((problem) => `\n  ${problem}`)
    const more = problems.length > shown.length ? `\n  and ${problems.length - shown.length} more` : ''
    super(
      `The export is not as it should be:${shown.join('')}${more}`,
      'Nothing was deleted on the server. Run the same command again to fetch rejected files once more.',
      { exitCode: 2 },
    )
    this.summary = summary
  }
}

/**
 * Runs one export from token to verified files: kick-off, polling, downloads, checks, and the deletion if it is wanted.
 * @throws Failure for what the operator can mend, DefectiveExport when checks failed, the signal's error when it fires
 */
export async function runExport(
  options: ExportOptions,
  report: Report,
  clock: Clock = systemClock,
): Promise<ExportSummary> {
  const { credentials, order, directory, gzip = false, parallel = parallelDownloadsDefault } = options
  const base = baseUrl(options.base)
  const trustedOrigins = (options.trustedOrigins ?? []).map((text) => webAddress(text, '--trust-origin').origin)
  checkOrder(order)
  checkParallel(parallel)

  const begunMs = clock.now()
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const folder = await openFolder(directory, { base: base.href, clientId: credentials?.clientId, order, gzip })
  const token = credentials && tokenSource(base.href, order.types, credentials, signal)
  const session = openSession({ base, trustedOrigins, token, signal, clock })
  const ledger = keepLedger(report)
  const run: Run = { session, clock, signal, report: ledger.report }
  if (token && isInTheClear(base)) run.report({ kind: 'warning', text: inTheClear })
  try {
    const { statusUrl, resumed } = await findJob(run, base, order, folder)
    const manifest = await finishedManifest(run, statusUrl, folder)
    const downloadsBegunMs = clock.now()
    const destination: Destination = {
      directory,
      coding: gzip ? 'gzip' : 'identity',
      requiresAccessToken: manifest.requiresAccessToken,
    }
    const { files, issues, problems } = await collect(run, manifest, destination, parallel, stop)
    const endedMs = clock.now()
    const sound = problems.length === 0
    if (sound) await folder.save({ ...folder.progress(), complete: true })
    const deleted = sound && options.deleteAfter === true && (await deleteAtServer(run, statusUrl))
    const summary: ExportSummary = {
      job: statusUrl.href,
      resumed,
      transactionTime: manifest.transactionTime,
      files,
      totals: { ...totalsOf(files), receivedBytes: ledger.receivedBytes() },
      seconds: (endedMs - begunMs) / 1000,
      downloadSeconds: (endedMs - downloadsBegunMs) / 1000,
      issues,
      warnings: ledger.warnings,
      problems,
      deleted,
    }
    if (!sound) throw new DefectiveExport(summary)
    return summary
  } finally {
    session.close()
    await folder.release()
  }
}

/** The job that the directory remembers, or a new one. */
async function findJob(run: Run, base: URL, order: ExportOrder, folder: Folder) {
  const known = folder.progress().statusUrl
  if (known === undefined) {
    await folder.save({ complete: false })
    const statusUrl = await kickOff(run, base, order)
    await folder.save({ complete: false, statusUrl: statusUrl.href })
    return announce(run, statusUrl, false)
  }
  return announce(run, new URL(known), true)
}

function announce({ session, report }: Run, statusUrl: URL, resumed: boolean) {
  session.trustSameHost(statusUrl)
  report({ kind: 'job', statusUrl: statusUrl.href, resumed })
  return { statusUrl, resumed }
}

/** Waits for the job and keeps its manifest; asked for anew in every run, since the links in it may have expired. */
async function finishedManifest(run: Run, statusUrl: URL, folder: Folder): Promise<Manifest> {
  const { manifest: earlier } = folder.progress()
  const { body, url } = await awaitManifest(run, statusUrl).catch(async (error: unknown) => {
    if (!(error instanceof JobLost)) throw error
    if (earlier !== undefined) throw new Failure(error.message, 'Start a new export with another --out.')
    await folder.save({ complete: false })
    throw error
  })
  const manifest = parseManifest(body, url)
  if (earlier !== undefined && outline(parseManifest(earlier, url)) !== outline(manifest)) {
    throw new Failure(
      'The manifest is another than in the run before: files of two exports would mix.',
      'Start a new export with another --out.',
    )
  }
  await folder.save({ complete: false, statusUrl: statusUrl.href, manifest: body })
  run.report({ kind: 'manifest', transactionTime: manifest.transactionTime, files: manifest.files.length })
  return manifest
}

/** What must stay the same between two answers for one job: everything but the links. */
const outline = ({ transactionTime, files }: Manifest): string =>
  JSON.stringify([transactionTime, files.map(({ stem, count }) => [stem, count])])

/** The records are safe by now: a deletion that fails is a warning. */
async function deleteAtServer(run: Run, statusUrl: URL): Promise<boolean> {
  try {
    await deleteJob(run, statusUrl)
    run.report({ kind: 'deleted' })
    return true
  } catch (error) {
    if (run.signal.aborted || !(error instanceof Failure || isOutage(error))) throw error
    run.report({ kind: 'warning', text: `The job was not deleted (${error.message}): ${statusUrl.href}` })
    return false
  }
}

/** Passes events on and sums up what the summary needs of them. */
function keepLedger(report: Report) {
  const warnings: string[] = []
  let receivedBytes = 0
  return {
    warnings,
    receivedBytes: () => receivedBytes,
    report(event: ExportEvent): void {
      if (event.kind === 'received') receivedBytes += event.bytes
      if (event.kind === 'warning') warnings.push(event.text)
      report(event)
    },
  }
}

const inTheClear = '--server is not https: the token and the records cross the network unencrypted.'

const isInTheClear = ({ protocol, hostname }: URL): boolean =>
  protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

function totalsOf(files: readonly FileSummary[]) {
  const sum = (of: (file: FileSummary) => number) => files.reduce((total, file) => total + of(file), 0)
  return { files: files.length, records: sum(({ count }) => count), bytes: sum(({ bytes }) => bytes) }
}

function baseUrl(text: string): URL {
  const url = webAddress(text, '--server')
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new Failure('--server has more than an address.', 'Give the FHIR base alone, as in https://host/r4/tenant.')
  }
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}

function webAddress(text: string, option: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol)) return url
  throw new Failure(`${option} is not a web address: ${JSON.stringify(text)}`, 'Write it as in https://host/r4/tenant.')
}

function checkParallel(parallel: number): void {
  if (Number.isInteger(parallel) && parallel >= 1 && parallel <= parallelDownloadsMax) return
  throw new Failure(
    `--parallel is ${parallel}, which is not a number of downloads.`,
    `Give a whole number from 1 to ${parallelDownloadsMax}.`,
  )
}
