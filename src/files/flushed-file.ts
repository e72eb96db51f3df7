import type { FileHandle } from 'node:fs/promises'
import { Writable } from 'node:stream'

/** What may wait in memory for the file system. */
const waitingBytesMax = 1024 * 1024

/** The disk begins to write when so many bytes have come: at the end there is little left to wait for. */
const unflushedBytesMax = 2 * 1024 * 1024

/** A new file on the disk. When it has finished, it survives a crash of the machine. */
export class FlushedFile extends Writable {
  readonly #handle: FileHandle
  #unflushedBytes = 0
  #flushing: Promise<void> | undefined

  readonly #insist: () => Promise<void>

  /**
   * @param handle is closed at the end
   * @param insist asked again and again while the file grows; when it throws, the file ends
   */
  constructor(handle: FileHandle, insist: () => Promise<void> = async () => {}) {
    super({ highWaterMark: waitingBytesMax })
    this.#handle = handle
    this.#insist = insist
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#handle.writeFile(bytes).then(() => {
      this.#unflushedBytes += bytes.length
      if (this.#unflushedBytes >= unflushedBytesMax) this.#flush()
      done()
    }, done)
  }

  /** Writes to the disk what has come so far, while more comes. An error is told once only, so it ends the file. */
  #flush(): void {
    if (this.#flushing) return
    this.#unflushedBytes = 0
    this.#flushing = Promise.all([this.#handle.datasync(), this.#insist()]).then(
      () => {
        this.#flushing = undefined
      },
      (error) => {
        this.destroy(error)
      },
    )
  }

  override _final(done: (error?: Error | null) => void): void {
    Promise.resolve(this.#flushing)
      .then(() => this.#handle.sync())
      .then(() => done(), done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    Promise.resolve(this.#flushing)
      .then(() => this.#handle.close())
      .then(
        () => done(error),
        (failed) => done(error ?? failed),
      )
  }
}
