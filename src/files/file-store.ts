import type { Readable, Writable } from 'node:stream'

/** What a file was when it was published: its bytes, and their CRC-32; null where nobody noted it. */
export interface Published {
  readonly size: number
  readonly crc: number | null
}

/** Where the files of exports lie. Paths are relative, made by the program: `{job}/{partition}-{attempt}/{Type}-{n}.ndjson.gz`. */
export interface FileStore {
  /** Whether there is too little room for another export. */
  readonly lacksRoom: () => Promise<boolean>
  /** Why the store could not be used when that was last seen. Stores that are never away lack this. */
  readonly trouble?: () => StoreTrouble | undefined
  /** Whether a file can be written at all, tried with one of a byte; stores that lack this tell `trouble` instead. */
  readonly isWritable?: () => Promise<boolean>
  /**
   * Creates a file. When the stream has finished the bytes survive a crash; a destroyed stream leaves a file that nobody names. Once it
   * has called back for a chunk, that chunk's memory is used for others.
   * @throws DiskShort, as the stream does, when the disk would be filled
   * @throws UnusableStore, as the stream does
   */
  readonly create: (path: string) => Promise<Writable>
  /**
   * The bytes of a file from `start` to `end` (both included), the whole file without them. Whoever reads the whole looks at its checksum; that
   * of a file of which a range is read is looked at before.
   * @throws UnusableStore
   * @throws DamagedFile when it is gone, has another size, or a range of it is wanted and its bytes are others
   */
  readonly read: (path: string, published: Published, range?: { start: number; end: number }) => Promise<Readable>
  /**
   * A URL under which the bytes of a file are had from the store itself, by one method and for so many seconds: whoever has it needs
   * nothing else. Stores without such a thing lack this.
   * @throws DamagedFile when it is gone or has another size
   * @throws UnusableStore
   */
  readonly link?: (path: string, size: number, method: 'GET' | 'HEAD', seconds: number) => Promise<string>
  /** Removes the files of one attempt, by its folder `{job}/{partition}-{attempt}`; none is fine. */
  readonly removeAttempt: (folder: string) => Promise<void>
  /**
   * Removes what abandoned attempts of a job have left: of each partition the attempts before that of the named files. A later one may be
   * making them again.
   */
  readonly keepOnly: (job: string, paths: readonly string[]) => Promise<void>
  /** The jobs that have files. */
  readonly jobs: () => Promise<string[]>
  /** Removes all files of a job; none is fine. */
  readonly removeJob: (job: string) => Promise<void>
}

/** Why the store of files cannot be used: `away` passes by itself, the others are the operator's. */
export type StoreTrouble = 'away' | 'credentials' | 'denied' | 'clock' | 'bucket' | 'room' | 'refused'

/** The store of files cannot be used now. The message says what was seen, for the log. */
export class UnusableStore extends Error {
  readonly trouble: StoreTrouble

  constructor(trouble: StoreTrouble, message: string, options?: ErrorOptions) {
    super(message, options)
    this.trouble = trouble
  }
}

/** A published file is not there any more, or is not what was published. */
export class DamagedFile extends Error {}

/** Whether an error shows that stored bytes are not what they were, or cannot be read; not that their reader has left. */
export const isDamage = (error: Error): boolean =>
  error instanceof DamagedFile || /^(Z_DATA_ERROR|Z_BUF_ERROR|EIO)$/.test((error as NodeJS.ErrnoException).code ?? '')
