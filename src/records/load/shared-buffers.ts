/** Size of the buffers that are used again. */
const sharedBufferBytes = 4 * 1024 * 1024

/** Buffers that are kept for later. */
const sparesMax = 16

/**
 * Memory that threads share, used again and again: V8 learns too late of what other threads do not need any more, and would let it pile
 * up.
 */
export class SharedBuffers {
  readonly #spares: Buffer[] = []

  /** @returns so many bytes, or more */
  take(bytes: number): Buffer {
    const size = Math.max(bytes, sharedBufferBytes)
    return (size === sharedBufferBytes && this.#spares.pop()) || Buffer.from(new SharedArrayBuffer(size))
  }

  /** Gives back what `take` gave, or a view of it. Nobody may look at it any more. */
  give({ buffer }: Buffer): void {
    if (buffer.byteLength === sharedBufferBytes && this.#spares.length < sparesMax)
      this.#spares.push(Buffer.from(buffer))
  }
}
