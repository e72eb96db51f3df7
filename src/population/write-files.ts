import { createWriteStream } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { Failure } from '../failure.ts'
import type { PopulationRecord } from './record.ts'

/** One finished file: all records of a type. */
export interface WrittenFile {
  readonly type: string
  readonly name: string
  readonly records: number
  /** Bytes of NDJSON, before compression. */
  readonly bytes: number
  /** Bytes on disk. */
  readonly fileBytes: number
}

/** Bytes gathered for a file before they are written: two such buffers for each of some twenty files are 10 MB. */
const bufferBytes = 256 * 1024
const utf8BytesMax = 3
const lineFeed = 10

/**
 * Makes sure that the directory exists (mode 0700 when it is made here) and is empty.
 * Throws Failure when it holds something or cannot be used.
 */
export async function openEmptyDirectory(directory: string): Promise<void> {
  const names = await attempt(directory, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return readdir(directory)
  })
  if (names.length === 0) return
  const advice = 'Name a directory that is empty or does not exist yet; existing files are never overwritten.'
  throw new Failure(`${directory} is not empty.`, advice)
}

/**
 * Writes records to `<Type>.ndjson` or `<Type>.ndjson.gz` (mode 0600) in an empty directory, in the order in which types first appear.
 * Waits for slow disks, so that memory stays flat. `onRecord` is told of each record. Throws Failure when a file cannot be written.
 */
export async function writeFiles(
  records: Iterable<PopulationRecord>,
  directory: string,
  gzip: boolean,
  onRecord: (record: PopulationRecord) => void,
): Promise<readonly WrittenFile[]> {
  const files = new Map<string, TypeFile>()
  return attempt(directory, async () => {
    try {
      for (const record of records) {
        const file = files.get(record.type) ?? new TypeFile(record.type, directory, gzip)
        files.set(record.type, file)
        if (!file.append(record.line)) await file.appendAfterWriting(record.line)
        onRecord(record)
      }
      const written: WrittenFile[] = []
      for (const file of files.values()) written.push(await file.close())
      return written
    } finally {
      for (const file of files.values()) file.destroy()
    }
  })
}

class TypeFile {
  readonly #type: string
  readonly #name: string
  /** Where bytes go: the file, or the compressor before it. */
  readonly #entrance: Writable
  readonly #disk: Writable & { readonly bytesWritten: number }
  readonly #done: Promise<void>
  /** Two buffers take turns: one fills while the other is written. */
  #filling: Buffer = Buffer.allocUnsafe(bufferBytes)
  #other: Buffer = Buffer.allocUnsafe(bufferBytes)
  #filled = 0
  #otherWritten: Promise<void> = Promise.resolve()
  #records = 0
  #bytes = 0

  constructor(type: string, directory: string, gzip: boolean) {
    this.#type = type
    this.#name = gzip ? `${type}.ndjson.gz` : `${type}.ndjson`
    const disk = createWriteStream(join(directory, this.#name), { flags: 'wx', mode: 0o600 })
    const compressor = gzip ? createGzip() : undefined
    this.#disk = disk
    this.#entrance = compressor ?? disk
    this.#done = compressor ? pipeline(compressor, disk) : finished(disk)
    this.#done.catch(ignore)
  }

  /** Adds a line if it surely fits into the buffer. */
  append(line: string): boolean {
    if (this.#filled + line.length * utf8BytesMax + 1 > bufferBytes) return false
    this.#filled += this.#filling.write(line, this.#filled)
    this.#filling[this.#filled++] = lineFeed
    this.#records += 1
    return true
  }

  /** Adds a line that did not fit: hands the full buffer on and begins the other. */
  async appendAfterWriting(line: string): Promise<void> {
    await this.#flush()
    if (this.append(line)) return
    await this.#write(Buffer.from(`${line}\n`))
    this.#records += 1
  }

  async close(): Promise<WrittenFile> {
    await this.#flush()
    await this.#otherWritten
    this.#entrance.end()
    await this.#done
    const { bytesWritten } = this.#disk
    return { type: this.#type, name: this.#name, records: this.#records, bytes: this.#bytes, fileBytes: bytesWritten }
  }

  destroy(): void {
    this.#entrance.destroy()
    this.#disk.destroy()
  }

  async #flush(): Promise<void> {
    await this.#otherWritten
    this.#otherWritten = this.#write(this.#filling.subarray(0, this.#filled))
    this.#otherWritten.catch(ignore)
    const full = this.#filling
    this.#filling = this.#other
    this.#other = full
    this.#filled = 0
  }

  /** Resolves when the bytes may be overwritten. Rejects when the file has failed, for the file's own reason. */
  #write(bytes: Buffer): Promise<void> {
    this.#bytes += bytes.length
    const accepted = new Promise<void>((resolve) => {
      this.#entrance.write(bytes, (error) => {
        if (!error) resolve()
      })
    })
    return Promise.race([accepted, this.#done])
  }
}

/** A promise that fails early is awaited later: until then its rejection must not end the program. */
const ignore = (): void => {}

async function attempt<T>(directory: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause
    throw new Failure(
      `Cannot write to ${directory}: ${cause.message}.`,
      'Check that it is a directory you may write to and that the disk has room, remove what is in it, and try again.',
      { cause },
    )
  }
}
