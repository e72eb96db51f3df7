import { Failure } from '../../failure.ts'
import { IssueTally } from '../issue-tally.ts'
import { refusedFilesMax, rememberedIdsMax } from '../limits.ts'
import type { Manifest, OfferedFile } from '../manifest.ts'
import type { CountedIssue, FileSummary, Report } from '../report.ts'
import type { Run } from '../run.ts'
import { type Destination, type Downloaded, download } from './download.ts'
import { RememberedIds } from './ids.ts'
import { FileRefused } from './receive.ts'

/** All files of a job and what is to be said about them. */
export interface Collection {
  /** In the order of the manifest; refused files are missing. */
  readonly files: readonly FileSummary[]
  readonly issues: readonly CountedIssue[]
  readonly problems: readonly string[]
}

/**
 * Downloads all files of a manifest, some at a time, and checks what only all of them together show: that no id comes
 * twice for a type. A fault of one file does not keep the others from coming.
 * @throws Failure when going on makes no sense; `stop` then ends the downloads that are under way
 */
export async function collect(
  run: Run,
  manifest: Manifest,
  destination: Destination,
  parallel: number,
  stop: AbortController,
): Promise<Collection> {
  const checks = new CrossFileChecks(run)
  const done = new Map<OfferedFile, FileSummary>()
  let refused = 0

  async function take(file: OfferedFile): Promise<void> {
    try {
      const downloaded = await download(run, file, destination)
      checks.add(downloaded)
      const summary = summarise(downloaded, manifest)
      done.set(file, summary)
      run.report({ kind: 'file', file: summary })
    } catch (error) {
      if (!(error instanceof FileRefused)) throw error
      checks.problems.push(`${file.stem} is not there: ${error.message}`)
      if (++refused >= refusedFilesMax) throw tooManyRefused(error)
    }
  }

  await inParallel(manifest.files, parallel, stop, take)
  return {
    files: manifest.files.flatMap((file) => done.get(file) ?? []),
    issues: checks.issues.list(),
    problems: checks.problems,
  }
}

/** What is known over all files so far. */
class CrossFileChecks {
  readonly problems: string[] = []
  readonly issues = new IssueTally()
  readonly #ids = new RememberedIds()
  readonly #report: Report
  #counting = true

  constructor({ report }: Run) {
    this.#report = report
  }

  add({ file, path, findings }: Downloaded): void {
    for (const fault of findings.faults) this.problems.push(`${path}: ${fault}`)
    this.issues.addAll(findings.issues)
    const { ids, records } = findings
    if (!ids || !this.#counting) return
    if (ids.records < records || this.#ids.size + records > rememberedIdsMax) {
      this.#counting = false
      const text = `More than ${rememberedIdsMax} records: the rest was not searched for ids that come twice.`
      this.#report({ kind: 'warning', text })
      return
    }
    const { first, repeats } = this.#ids.add(ids)
    if (repeats === 0) return
    const what = repeats === 1 ? '1 id comes' : `${repeats} ids come`
    this.problems.push(`${path}: ${what} twice among the ${file.type} files, first in record ${first} of this file`)
  }
}

function summarise({ file, path, bytes, findings }: Downloaded, { requiresAccessToken }: Manifest): FileSummary {
  // Without a token the query is the capability itself: it must not end in a log.
  const url = requiresAccessToken ? file.url.href : `${file.url.origin}${file.url.pathname}`
  return { type: file.type, url, path, count: findings.records, bytes }
}

/** Runs `work` over all items, `parallel` at a time; the first error stops the rest and is thrown. */
async function inParallel<Item>(
  items: readonly Item[],
  parallel: number,
  stop: AbortController,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  let failure: { readonly error: unknown } | undefined
  const lane = async () => {
    for (const item of queue) {
      if (failure) return
      try {
        await work(item)
      } catch (error) {
        failure ??= { error }
        stop.abort()
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, lane))
  if (failure) throw failure.error
}

const tooManyRefused = (error: FileRefused) =>
  new Failure(
    `The server refuses file after file: ${error.message}`,
    'Check the scopes of the client (--scope, --type), and that the files have not expired.',
    { cause: error },
  )
