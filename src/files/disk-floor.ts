import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Less disk is free than there must be: nothing more of an export is written. */
export class DiskShort extends Error {}

/** How many bytes can still be written to the disk of a directory. */
export type FreeBytes = (directory: string) => Promise<number>

/** What is short, for the log. */
export interface Shortage {
  readonly directory: string
  readonly freeBytes: number
  readonly floorBytes: number
}

/** A shortage is told once in this time, however many ask. */
export const shortageToldMs = 60_000

/** How much disk exports leave free: for the database, where it lies on the same one, and for whatever else does. */
export class DiskFloor {
  readonly #directories: readonly string[]
  readonly #floorBytes: number
  readonly #tell: (shortage: Shortage) => void
  readonly #free: FreeBytes
  #told = Number.NEGATIVE_INFINITY

  /**
   * @param floorBytes 0 for no floor
   * @param free given by tests: a disk of a size of one's own takes privileges
   */
  constructor(
    directories: readonly string[],
    floorBytes: number,
    tell: (shortage: Shortage) => void,
    free: FreeBytes = freeBytes,
  ) {
    this.#directories = directories
    this.#floorBytes = floorBytes
    this.#tell = tell
    this.#free = free
  }

  /** Whether less than the floor is free for one of the directories. */
  async isShort(): Promise<boolean> {
    return (await this.#shortage()) !== undefined
  }

  /** @throws DiskShort when less than the floor is free */
  async insist(): Promise<void> {
    const found = await this.#shortage()
    if (found) throw new DiskShort(`${found.freeBytes} bytes of disk are free, and ${found.floorBytes} must be`)
  }

  async #shortage(): Promise<Shortage | undefined> {
    if (this.#floorBytes === 0) return undefined
    for (const directory of this.#directories) {
      const free = await this.#free(directory)
      if (free >= this.#floorBytes) continue
      const shortage = { directory, freeBytes: free, floorBytes: this.#floorBytes }
      if (performance.now() - this.#told >= shortageToldMs) {
        this.#told = performance.now()
        this.#tell(shortage)
      }
      return shortage
    }
    return undefined
  }
}

/** Bytes that can still be written to the disk of a directory; of one that is not there yet, to its parent's. */
export async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(directory) === directory) throw error
    return freeBytes(dirname(directory))
  }
}

/** Whether an error says that there was no room for files: below the floor, or none at all. */
export const isDiskShort = (error: unknown): boolean =>
  error instanceof DiskShort || /^(ENOSPC|EDQUOT)$/.test((error as NodeJS.ErrnoException | undefined)?.code ?? '')
