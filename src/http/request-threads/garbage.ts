/*
 * V8 collects when it thinks fit: of large texts and buffers when there are tens of megabytes more, on each thread, and what a heap once
 * had it keeps. Both functions do nothing in a program that was started without `--expose-gc`.
 */

/** Gives back what nobody needs any more: some tens of milliseconds of this thread. */
export const collectGarbage = (): void => void globalThis.gc?.()

/** Makes the heap of this thread as small as it can be, half of what another collection leaves, in twice the time. */
export const shrinkHeap = (): void => void globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })

/** Bodies leave so much behind before the heap is made small. */
export const leftBytesMax = 4 * 1024 * 1024
/** Less than this may lie there for ever. */
export const leftBytesMin = 256 * 1024
/** With nothing to do for so long, a thread gives back what is left, however little. */
const restMs = 1_000

/**
 * What bodies have left behind in this thread. To make the heap small costs as much after a short body as after a long one, and V8 has other
 * threads help, which do not give way to anybody: once for each request, it would be what others notice most.
 */
export class LeftBehind {
  readonly #shrink: () => void
  #bytes = 0
  #resting: NodeJS.Timeout | undefined

  constructor(shrink: () => void = shrinkHeap) {
    this.#shrink = shrink
  }

  /** A request begins. */
  wait(): void {
    clearTimeout(this.#resting)
  }

  /** A request with a body of so many bytes has been answered. */
  add(bytes: number): void {
    this.#bytes += bytes
    clearTimeout(this.#resting)
    if (this.#bytes >= leftBytesMax) this.#giveBack()
    else if (this.#bytes >= leftBytesMin) this.#resting = setTimeout(() => this.#giveBack(), restMs).unref()
  }

  #giveBack(): void {
    this.#bytes = 0
    this.#shrink()
  }
}
