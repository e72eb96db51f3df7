import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { DamagedFile } from './file-store.ts'

/** Files that are remembered at a time; what was asked for longest ago is forgotten. */
const rememberedFilesMax = 10_000

/** How many bytes are read at once. */
const pieceBytes = 256 * 1024

/**
 * Remembers which files have been found to be what was published, as long as they are the same to the file system. A range has no checksum
 * of its own, so that all of a file is looked at once before the first range of it.
 */
export class CheckedFiles {
  readonly #checked = new Map<string, { readonly identity: string; readonly whole: Promise<void> }>()

  /** Reads all of a file, unless that was done before. @throws DamagedFile */
  async insist(handle: FileHandle, path: string, crc: number): Promise<void> {
    const { dev, ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true })
    const identity = [dev, ino, size, mtimeNs, ctimeNs, crc].join(' ')
    const known = this.#checked.get(path)
    const checked = known?.identity === identity ? known : { identity, whole: check(handle, crc) }
    this.#checked.delete(path)
    this.#checked.set(path, checked)
    if (this.#checked.size > rememberedFilesMax) this.#checked.delete(this.#checked.keys().next().value!)
    try {
      await checked.whole
    } catch (error) {
      if (this.#checked.get(path) === checked) this.#checked.delete(path)
      throw error
    }
  }
}

async function check(handle: FileHandle, crc: number): Promise<void> {
  const piece = Buffer.allocUnsafeSlow(pieceBytes)
  let sum = 0
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(piece, 0, pieceBytes, at)
    if (bytesRead === 0) break
    sum = crc32(piece.subarray(0, bytesRead), sum)
    at += bytesRead
  }
  if (sum !== crc) throw new DamagedFile('its bytes are not those that were published')
}
