import type { Readable, Writable } from 'node:stream'

/** Where the files of exports lie. Paths are relative, made by the program: `{job}/{partition}-{attempt}/{Type}-{n}.ndjson.gz`. */
export interface FileStore {
  /**
   * Creates a file. When the stream has finished the bytes survive a crash; a destroyed stream leaves a file that nobody names. Once it
   * has called back for a chunk, that chunk's memory is used for others.
   */
  readonly create: (path: string) => Promise<Writable>
  /**
   * The bytes of a file from `start` to `end` (both included), the whole file without them.
   * @param size how many bytes the file had when it was published
   * @throws DamagedFile when it is gone or has another size
   */
  readonly read: (path: string, size: number, range?: { start: number; end: number }) => Promise<Readable>
  /** Removes the files of one attempt, by its folder `{job}/{partition}-{attempt}`; none is fine. */
  readonly removeAttempt: (folder: string) => Promise<void>
  /** Removes every file of a job that is not among the named ones: what abandoned attempts have left. */
  readonly keepOnly: (job: string, paths: readonly string[]) => Promise<void>
  /** The jobs that have files. */
  readonly jobs: () => Promise<string[]>
  /** Removes all files of a job; none is fine. */
  readonly removeJob: (job: string) => Promise<void>
}

/** A published file is not there any more, or is not what was published. */
export class DamagedFile extends Error {}
