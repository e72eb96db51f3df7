import type { Pool } from 'pg'
import { migrationState } from '../database/migrate.ts'
import type { FileStore, StoreTrouble } from '../files/file-store.ts'
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

/** What is asked about exports is asked no more often than this, however many look: anybody may. */
export const lookedMs = 5_000

type AskedFiles = Pick<FileStore, 'lacksRoom' | 'isWritable' | 'trouble'>
type Exporting = Pick<ReadinessReport, 'disk' | 'files' | 'workers' | 'queue'>
interface Looked extends Exporting {
  readonly isNewer: boolean
}

/** Tells whether the server takes requests, and why not. */
export class Readiness {
  readonly #pool: Pool
  readonly #files: AskedFiles
  readonly #workers: () => number
  readonly #elapsed: () => number
  #stopping = false
  /** Questions that come together cost the database one query. */
  #asked: Promise<boolean> | undefined
  #looked: { readonly at: number; readonly found: Promise<Looked> } | undefined

  constructor(pool: Pool, files: AskedFiles, workers: () => number, elapsed: () => number) {
    this.#pool = pool
    this.#files = files
    this.#workers = workers
    this.#elapsed = elapsed
  }

  /** From now on no requests are taken. */
  stop(): void {
    this.#stopping = true
  }

  async look(): Promise<ReadinessReport> {
    const answers = await this.#databaseAnswers()
    if (!answers) return { ready: false, status: 'the database does not answer' }
    if (this.#stopping) return { ready: false, status: 'stopping' }
    const { isNewer, ...exporting } = await this.#exporting()
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

  #exporting(): Promise<Looked> {
    const now = this.#elapsed()
    if (this.#looked === undefined || now - this.#looked.at >= lookedMs)
      this.#looked = { at: now, found: this.#lookAtExporting() }
    return this.#looked.found
  }

  /** What cannot be asked is no reason to take the server for stopped. */
  async #lookAtExporting(): Promise<Looked> {
    const no = () => false
    const [isShort, files, standsStill, isNewer] = await Promise.all([
      this.#files.lacksRoom().catch(no),
      this.#filesTrouble(),
      worksStandStill(this.#pool).catch(no),
      migrationState(this.#pool).then(({ unknown }) => unknown.length > 0, no),
    ])
    return {
      isNewer,
      ...(isShort ? { disk: 'short' as const } : {}),
      ...(files ? { files } : {}),
      ...(this.#workers() > 0 ? {} : { workers: 'none' as const }),
      ...(standsStill ? { queue: 'stands still' as const } : {}),
    }
  }

  async #filesTrouble(): Promise<Exporting['files']> {
    const isWritable = (await this.#files.isWritable?.()) ?? true
    return isWritable ? this.#files.trouble?.() : 'not writable'
  }
}
