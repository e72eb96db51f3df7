import { Writable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { DamagedFile } from '../file-store.ts'
import { SpareBuffers } from '../spare-buffers.ts'
import type { Bucket, Sent } from './bucket.ts'
import { encryptionHeaders } from './encryption.ts'
import { seen } from './object-bytes.ts'
import { UploadSlots } from './upload-slots.ts'

/** What a file is uploaded in: the least that S3 takes of all but the last piece. A file that is no larger is uploaded at once. */
export const pieceBytes = 5 * 1024 * 1024

/** What waits for its piece to be whole: a file of few bytes holds few. */
const waitingBytes = 256 * 1024

/** Pieces that a thread uploads at a time: so many copies of `pieceBytes` there are beside what waits. */
const uploadsMax = 4

const buffers = new SpareBuffers(waitingBytes)
const pieces = new SpareBuffers(pieceBytes)
const slots = new UploadSlots(uploadsMax)

/** What the objects are, for whoever gets them from the store itself. */
const contentHeaders = {
  ContentType: 'application/fhir+ndjson',
  ContentEncoding: 'gzip',
  CacheControl: 'private, no-store, no-transform',
}

/**
 * A new object. It is there whole when the stream has finished, and not at all before. Holds less than a piece, and one that is on its way.
 */
export class UploadedFile extends Writable {
  readonly #bucket: Bucket
  readonly #path: string
  readonly #gone = new AbortController()
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #bytes = 0
  #uploadId: string | undefined
  #complete = false
  readonly #pieces: { readonly PartNumber: number; readonly ETag: string }[] = []
  #uploading: Promise<void> = Promise.resolve()

  constructor(bucket: Bucket, path: string) {
    super({ highWaterMark: waitingBytes })
    this.#bucket = bucket
    this.#path = path
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#take(bytes).then(() => done(), done)
  }

  async #take(bytes: Buffer): Promise<void> {
    this.#bytes += bytes.length
    for (let at = 0; at < bytes.length; ) {
      // Only when more comes: the last piece is never empty.
      if (this.#waitingBytes === pieceBytes) await this.#send()
      const within = this.#waitingBytes % waitingBytes
      if (within === 0) this.#waiting.push(buffers.take())
      const copied = bytes.copy(this.#waiting.at(-1)!, within, at)
      this.#waitingBytes += copied
      at += copied
    }
  }

  /** Begins to upload what waits, when the piece before is there. */
  async #send(): Promise<void> {
    await this.#uploading
    const uploaded = await this.#inSlot((piece) => this.#upload(piece, this.#pieces.length + 1))
    this.#uploading = uploaded.done
    this.#uploading.catch((error) => this.destroy(error))
  }

  /**
   * Uploads what waits, in one piece, when it is our turn: resolves then, and `done` when it is there. Only then its memory is used for
   * others: of a request that has failed nobody knows what the system still reads.
   */
  async #inSlot(upload: (piece: Buffer) => Promise<void>): Promise<{ readonly done: Promise<void> }> {
    const release = await slots.take()
    const memory = pieces.take()
    const piece = memory.subarray(0, this.#waitingBytes)
    this.#waiting.forEach((buffer, index) => {
      buffer.copy(piece, index * waitingBytes)
    })
    this.#letGo()
    const done = upload(piece)
      .then(() => pieces.give(memory))
      .finally(release)
    return { done }
  }

  #letGo(): void {
    for (const buffer of this.#waiting) buffers.give(buffer)
    this.#waiting = []
    this.#waitingBytes = 0
  }

  async #upload(piece: Buffer, number: number): Promise<void> {
    this.#uploadId ??= await this.#begin()
    const UploadId = this.#uploadId
    const { ETag = '' } = await this.#ask((sent) =>
      this.#bucket.client.send(
        new UploadPartCommand({ ...this.#bucket.at(this.#path), UploadId, PartNumber: number, Body: piece }),
        sent,
      ),
    )
    this.#pieces.push({ PartNumber: number, ETag })
  }

  async #begin(): Promise<string> {
    const { UploadId } = await this.#ask((sent) =>
      this.#bucket.client.send(
        new CreateMultipartUploadCommand({
          ...this.#bucket.at(this.#path),
          ...contentHeaders,
          ...encryptionHeaders(this.#bucket.place),
        }),
        sent,
      ),
    )
    return UploadId!
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finish().then(() => done(), done)
  }

  async #finish(): Promise<void> {
    if (this.#bytes <= pieceBytes) await (await this.#inSlot((whole) => this.#put(whole))).done
    else await this.#join()
    this.#complete = true
  }

  async #put(whole: Buffer): Promise<void> {
    const put = new PutObjectCommand({
      ...this.#bucket.at(this.#path),
      ...contentHeaders,
      ...encryptionHeaders(this.#bucket.place),
      Body: whole,
    })
    await this.#ask((sent) => this.#bucket.client.send(put, sent))
  }

  async #join(): Promise<void> {
    await this.#send()
    await this.#uploading
    const UploadId = this.#uploadId!
    const joined = new CompleteMultipartUploadCommand({
      ...this.#bucket.at(this.#path),
      UploadId,
      MultipartUpload: { Parts: this.#pieces },
    })
    try {
      await this.#ask((sent) => this.#bucket.client.send(joined, sent))
    } catch (error) {
      if (!(await this.#isThere(error))) throw error
    }
  }

  /** The answer to the first try may have been lost: the upload is over then, and the object is there. */
  async #isThere(error: unknown): Promise<boolean> {
    if (!(error instanceof Error && error.cause instanceof Error && error.cause.name === 'NoSuchUpload')) return false
    try {
      return (await seen(this.#bucket, this.#path)).size === this.#bytes
    } catch (fault) {
      if (fault instanceof DamagedFile) return false
      throw fault
    }
  }

  #ask<T>(question: (sent: Sent) => Promise<T>): Promise<T> {
    return this.#bucket.ask(question, this.#gone.signal)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#gone.abort(error ?? new Error('the file is given up'))
    this.#letGo()
    this.#uploading
      .catch(() => {})
      .then(() => {
        if (!this.#complete && this.#uploadId !== undefined) this.#giveUp(this.#uploadId)
        done(error)
      })
  }

  /** What cannot be given up now, the sweeper finds. */
  #giveUp(UploadId: string): void {
    const abort = new AbortMultipartUploadCommand({ ...this.#bucket.at(this.#path), UploadId })
    this.#bucket.client.send(abort).catch(() => {})
  }
}
