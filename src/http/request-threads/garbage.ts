/*
 * V8 collects when it thinks fit: of large texts and buffers when there are tens of megabytes more, on each thread, and what a heap once
 * had it keeps. Both functions do nothing in a program that was started without `--expose-gc`.
 */

/** Gives back what nobody needs any more: some tens of milliseconds of this thread. */
export const collectGarbage = (): void => void globalThis.gc?.()

/** Makes the heap of this thread as small as it can be, half of what another collection leaves, in twice the time. */
export const shrinkHeap = (): void => void globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
