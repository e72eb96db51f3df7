import { crc32 } from 'node:zlib'
import { CopyRow } from '../copy/copied-row.ts'
import { type CopyChunk, textRoom } from '../copy/copy-in.ts'
import type { Pack, Slice } from './pack.ts'

/**
 * What the store keeps of a pack: a label, which says everything about it, and its blocks. The label has the form of a row of a binary COPY.
 * A body is sealed by its CRC-32 (`sealOf`), so one whose bytes have changed, or that stands under another patient or tenant, is noticed
 * without inflating it.
 */
const labelFields = 16

const labelBytesMax = 2 + labelFields * 12

/** What a body is sealed with when it is stored. */
export const sealOf = (body: Buffer): number => crc32(body)

/** What a body takes at most, in bytes. */
export const bodyRoom = (
  tenant: string,
  { owner, type, refs, shared, targets, slice, present, blocks }: Pack,
): number =>
  labelBytesMax + textRoom(tenant, owner, type, shared, targets, slice, present) + refs.length + blocks.length

export function writeBody(chunk: CopyChunk, tenant: string, pack: Pack): void {
  chunk.beginRow(labelFields)
  chunk.text(tenant)
  chunk.text(pack.owner)
  chunk.text(pack.type)
  chunk.integer(pack.number)
  chunk.integer(pack.total)
  chunk.integer(pack.records)
  chunk.integer(pack.bytes)
  chunk.bigint(BigInt(pack.crc))
  chunk.instant(pack.changed)
  chunk.instant(pack.oldest)
  chunk.instant(pack.newest)
  chunk.binary(pack.refs)
  chunk.text(pack.shared)
  chunk.text(pack.targets)
  chunk.text(pack.slice)
  chunk.text(pack.present)
  chunk.raw(pack.blocks)
}

/**
 * The pack in a body, which is a view of it.
 * @param of what the pack is to be
 * @returns undefined when the body is not what was sealed, or is another pack
 */
export function readBody(
  body: Buffer,
  seal: number,
  of: { readonly tenant: string; readonly owner: string; readonly type: string; readonly number: number },
): Pack | undefined {
  if (sealOf(body) !== seal) return undefined
  const label = CopyRow.at(body, 0)
  if (label?.length !== labelFields) return undefined
  const { tenant, owner, type, number } = of
  if (!label.says(0, tenant) || !label.says(1, owner) || !label.says(2, type) || label.integer(3) !== number)
    return undefined
  return {
    owner,
    type,
    number,
    total: label.integer(4),
    records: label.integer(5),
    bytes: label.integer(6),
    crc: label.bigint(7),
    changed: label.instant(8),
    oldest: label.instant(9),
    newest: label.instant(10),
    refs: label.binary(11),
    shared: label.text(12),
    targets: label.text(13),
    slice: label.text(14) as Slice,
    present: label.text(15),
    blocks: body.subarray(label.end),
    columns: undefined,
  }
}
