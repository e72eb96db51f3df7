/** Buffers of one kind that wait to be filled again. */
const spareBuffersMax = 48

/**
 * Large buffers of one size, which are filled again and again by whoever needs one: what is thrown away stays until V8 looks for garbage
 * outside of its heap, which is seldom, and memory that comes and goes in large pieces is hardly given back to the system.
 */
export class SpareBuffers {
  readonly #bytes: number
  readonly #spare: Buffer[] = []

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#bytes)
  }

  /** @param buffer nobody looks at it any more; one of another size is thrown away */
  give(buffer: Buffer): void {
    if (buffer.length === this.#bytes && this.#spare.length < spareBuffersMax) this.#spare.push(buffer)
  }
}
