import { crc32 } from 'node:zlib'
import type { CopyChunk } from '../../copy/copy-in.ts'

/** What stands before the columns. */
const sealBytes = 4

/**
 * What columns are sealed with. It goes on from the seal of their pack's body: those of another pack, and those that the pack had before,
 * are not its own.
 */
const sealOfColumns = (columns: Buffer, seal: number): number => crc32(columns, seal)

/** What they take at most, in bytes. */
export const columnsRoom = ({ columns }: { readonly columns: Buffer | undefined }): number =>
  columns === undefined ? 0 : sealBytes + columns.length

/** @param seal of the pack's body */
export function writeSealedColumns(chunk: CopyChunk, seal: number, columns: Buffer | undefined): void {
  if (columns === undefined) {
    chunk.null()
    return
  }
  const sealed = Buffer.allocUnsafe(sealBytes + columns.length)
  sealed.writeUInt32LE(sealOfColumns(columns, seal))
  columns.copy(sealed, sealBytes)
  chunk.binary(sealed)
}

/**
 * The columns in what was stored, a view.
 * @param seal of the pack's body
 * @returns undefined when they are not what was sealed, or belong to another pack
 */
export function readSealedColumns(sealed: Buffer, seal: number): Buffer | undefined {
  if (sealed.length < sealBytes) return undefined
  const columns = sealed.subarray(sealBytes)
  return sealOfColumns(columns, seal) === sealed.readUInt32LE() ? columns : undefined
}
