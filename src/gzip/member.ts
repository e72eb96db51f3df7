/** One gzip member (RFC 1952) around deflate blocks that were made elsewhere: header, blocks, an empty last block, CRC-32 and size. */

/** Deflate, no flags, no time, no statement about level or file system. */
export const memberHeader: Buffer = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])

/** The empty block, coded with the fixed codes, that ends a deflate stream. */
const lastBlock = [0x03, 0x00]

/** What `memberEnd` gives. */
export const memberEndBytes = 10

/**
 * The end of a member.
 * @param bytes the inflated size; the field wraps at 4 GiB (ISIZE)
 */
export function memberEnd(crc: number, bytes: number): Buffer {
  const end = Buffer.alloc(memberEndBytes)
  end.set(lastBlock)
  end.writeUInt32LE(crc, 2)
  end.writeUInt32LE(bytes % 2 ** 32, 6)
  return end
}
