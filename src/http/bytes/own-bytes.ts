/** What may lie beside the bytes in their buffer: a byte order mark, or room that a stored line did not need. */
const spareBytesMax = 128

/** Whether the bytes have a buffer of their own. */
const isAlone = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer &&
  bytes.length > spareBytesMax &&
  bytes.length >= bytes.buffer.byteLength - spareBytesMax

/** The bytes with a buffer of their own, which can go to another thread without being copied; with more beside them they are copied. */
export const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => (isAlone(bytes) ? bytes : new Uint8Array(bytes))

/** Gives the memory of bytes back at once, whoever still refers to them: nobody may need them any more. Those in a buffer with others stay. */
export function freeBytes(bytes: Uint8Array): void {
  if (isAlone(bytes)) bytes.buffer.transfer(0)
}

/** Smaller ones are not worth it. */
const freedPieceBytesMin = 4 * 1024

/**
 * Gives the memory of a piece of a stream back that nobody needs any more. One that does not fill its buffer stays: whoever made it may be
 * filling the rest.
 */
export function freePiece({ buffer, byteOffset, length }: Buffer): void {
  const isWhole = byteOffset === 0 && length === buffer.byteLength
  if (isWhole && length >= freedPieceBytesMin && buffer instanceof ArrayBuffer) buffer.transfer(0)
}
