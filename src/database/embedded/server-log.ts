import { closeSync, copyFileSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs'
import { type DataDirectory, giveTo } from './data-directory.ts'

const logBytesMax = 8 * 1024 * 1024
const excerptBytesMax = 4096
const excerptLinesMax = 6

/** Opens the server's log for appending. The caller closes it. */
export function openServerLog({ log, owner }: DataDirectory): number {
  const descriptor = openSync(log, 'a', 0o600)
  giveTo(owner, log)
  return descriptor
}

/** Keeps the server's log, with one older file, within bounds. Its writers append, so they go on at the new end. */
export function boundServerLog({ log, owner }: DataDirectory): void {
  if (serverLogSize({ log }) <= logBytesMax) return
  const older = `${log}.1`
  copyFileSync(log, older)
  giveTo(owner, older)
  truncateSync(log)
}

export function serverLogSize({ log }: Pick<DataDirectory, 'log'>): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0
}

/** The last lines of the server's log, of those written after a position. */
export function serverLogSince({ log }: Pick<DataDirectory, 'log'>, position: number): string {
  const descriptor = openSync(log, 'r')
  try {
    const { size } = fstatSync(descriptor)
    const start = Math.max(Math.min(position, size), size - excerptBytesMax)
    const excerpt = Buffer.alloc(size - start)
    const length = readSync(descriptor, excerpt, 0, excerpt.length, start)
    const lines = excerpt.toString('utf8', 0, length).trim().split('\n')
    return lines.slice(-excerptLinesMax).join('\n')
  } finally {
    closeSync(descriptor)
  }
}
