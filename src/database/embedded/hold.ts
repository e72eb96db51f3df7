import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { errorCode } from '../error-code.ts'

/**
 * A program's hold on the embedded database: an open write end of the FIFO that the supervisor reads.
 * The kernel closes it with the program, however the program ends; with the last one the supervisor stops the server.
 */
export interface Hold {
  /** Writes a line to the supervisor. False when nobody reads any more. */
  beat(): boolean
  release(): void
}

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants

/** Takes a hold if a supervisor is reading, else undefined. */
export function takeHold(path: string): Hold | undefined {
  try {
    return holdOf(openSync(path, O_WRONLY | O_NONBLOCK))
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENXIO' || code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Takes a hold before anybody reads, with a read end for a new supervisor. The caller closes the read end.
 * The supervisor is born with both ends open, so it sees the end of this program whenever that comes.
 */
export function takeFirstHold(path: string): { hold: Hold; readEnd: number } {
  // Opening both ways does not wait for a second party, and makes the two other opens return at once.
  const both = openSync(path, O_RDWR)
  try {
    const readEnd = openSync(path, O_RDONLY)
    return { hold: holdOf(openSync(path, O_WRONLY | O_NONBLOCK)), readEnd }
  } finally {
    closeSync(both)
  }
}

function holdOf(descriptor: number): Hold {
  let open = true
  return {
    beat: () => open && beat(descriptor),
    release: () => {
      if (open) closeSync(descriptor)
      open = false
    },
  }
}

function beat(descriptor: number): boolean {
  try {
    writeSync(descriptor, '\n')
    return true
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EPIPE') return false
    // Full: the supervisor is alive but stopped.
    if (code === 'EAGAIN') return true
    throw error
  }
}
