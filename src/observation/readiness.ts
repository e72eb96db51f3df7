import type { Pool } from 'pg'
import { migrationState } from '../database/migrate.ts'
import type { FileStore, StoreTrouble } from '../files/file-store.ts'
import { PeriodicLook } from './periodic-look.ts'
import { worksStandStill } from './standing-work.ts'

/** Whether a server takes requests. What is named beside `status` keeps it from exporting; all else is answered. */
export interface ReadinessReport {
  readonly ready: boolean
  readonly status:
    | 'ok'
    | 'stopping'
    | 'the database does not answer'
    | 'the database was migrated by a newer Millrace: restart with that version'
  readonly disk?: 'short'
  readonly files?: 'not writable' | StoreTrouble
  readonly workers?: 'none'
  readonly queue?: 'stands still'
}

type AskedFiles = Pick<FileStore, 'lacksRoom' | 'isWritable' | 'trouble'>
type Exporting = Pick<ReadinessReport, 'disk' | 'files' | 'workers' | 'queue'>

/** Tells whether the server takes requests, and why not. */
export class Readiness {
  readonly #pool: Pool
  readonly #workers: () => number
  #stopping = false
  /** Questions that come together cost the database one query. */
  #asked: Promise<boolean> | undefined
  /** Each by itself: a disk that hangs leaves the others fresh. What cannot be asked is no reason to take the server for stopped. */
  readonly #isShort: PeriodicLook<boolean>
  readonly #filesTrouble: PeriodicLook<Exporting['files']>
  readonly #standsStill: PeriodicLook<boolean>
  readonly #isNewer: PeriodicLook<boolean>

  constructor(pool: Pool, files: AskedFiles, workers: () => number, elapsed: () => number) {
    this.#pool = pool
    this.#workers = workers
    const ask = (look: () => Promise<boolean>) => new PeriodicLook(look, false, elapsed)
    this.#isShort = ask(() => files.lacksRoom())
    this.#filesTrouble = new PeriodicLook(() => troubleOf(files), undefined, elapsed, 'not writable')
    this.#standsStill = ask(() => worksStandStill(pool))
    this.#isNewer = ask(async () => (await migrationState(pool)).unknown.length > 0)
  }

  /** From now on no requests are taken. */
  stop(): void {
    this.#stopping = true
  }

  async look(): Promise<ReadinessReport> {
    const answers = await this.#databaseAnswers()
    if (!answers) return { ready: false, status: 'the database does not answer' }
    if (this.#stopping) return { ready: false, status: 'stopping' }
    const [isNewer, exporting] = await Promise.all([this.#isNewer.tell(), this.#exporting()])
    if (isNewer) {
      const status = 'the database was migrated by a newer Millrace: restart with that version' as const
      return { ready: false, status, ...exporting }
    }
    return { ready: true, status: 'ok', ...exporting }
  }

  #databaseAnswers(): Promise<boolean> {
    this.#asked ??= this.#pool
      .query('select')
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        this.#asked = undefined
      })
    return this.#asked
  }

  async #exporting(): Promise<Exporting> {
    const [isShort, files, standsStill] = await Promise.all([
      this.#isShort.tell(),
      this.#filesTrouble.tell(),
      this.#standsStill.tell(),
    ])
    return {
      ...(isShort ? { disk: 'short' as const } : {}),
      ...(files ? { files } : {}),
      ...(this.#workers() > 0 ? {} : { workers: 'none' as const }),
      ...(standsStill ? { queue: 'stands still' as const } : {}),
    }
  }
}

async function troubleOf(files: AskedFiles): Promise<Exporting['files']> {
  const isWritable = (await files.isWritable?.()) ?? true
  return isWritable ? files.trouble?.() : 'not writable'
}
