import type { Readable, Writable } from 'node:stream'

/** Where the files of exports lie. Paths are relative, made by the program: `{job}/{partition}-{attempt}/{Type}-{n}.ndjson.gz`. */
export interface FileStore {
  /** Creates a file. When the stream has finished the bytes survive a crash; a destroyed stream leaves a file that nobody names. */
  readonly create: (path: string) => Promise<Writable>
  /** The bytes of a file from `start` to `end` (both included), the whole file without them. */
  readonly read: (path: string, range?: { start: number; end: number }) => Promise<Readable>
  /** The jobs that have files. */
  readonly jobs: () => Promise<string[]>
  /** Removes all files of a job; none is fine. */
  readonly removeJob: (job: string) => Promise<void>
}
