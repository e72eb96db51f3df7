import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { DamagedFile } from './file-store.ts'

/** Files that are remembered at a time; what was asked for longest ago is forgotten. */
export const rememberedFilesMax = 10_000

/** How many bytes are read at once. */
const pieceBytes = 256 * 1024

/**
 * Remembers which files have been found to be what was published, as long as they are the same files. A range has no checksum
 * of its own, so that all of a file is looked at once before the first range of it.
 */
export class CheckedFiles {
  readonly #checked = new Map<string, { readonly identity: string; readonly whole: Promise<void> }>()

  /**
   * Reads all of a file, unless that was done before.
   * @param file what tells it from one that has taken its place
   * @param pieces its bytes
   * @throws DamagedFile
   */
  async insist(path: string, file: string, crc: number, pieces: () => AsyncIterable<Uint8Array>): Promise<void> {
    const identity = `${file} ${crc}`
    const known = this.#checked.get(path)
    const checked = known?.identity === identity ? known : { identity, whole: check(pieces(), crc) }
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

async function check(pieces: AsyncIterable<Uint8Array>, crc: number): Promise<void> {
  let sum = 0
  for await (const piece of pieces) sum = crc32(piece, sum)
  if (sum !== crc) throw new DamagedFile('its bytes are not those that were published')
}

/** What the file system tells a file from others by. */
export async function identityOf(handle: Pick<FileHandle, 'stat'>): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true })
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
}

/** The bytes of an open file from its beginning, in memory that is used again. */
export async function* piecesOf(handle: Pick<FileHandle, 'read'>): AsyncGenerator<Buffer> {
  const piece = Buffer.allocUnsafeSlow(pieceBytes)
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(piece, 0, pieceBytes, at)
    if (bytesRead === 0) return
    yield piece.subarray(0, bytesRead)
    at += bytesRead
  }
}
