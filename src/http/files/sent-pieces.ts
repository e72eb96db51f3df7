import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { freePiece } from '../bytes/own-bytes.ts'

/**
 * The same bytes, whose memory is given back as soon as they have left. A file is sent in buffers outside of the heap: as garbage they would
 * have the answering thread collect several times a second.
 */
export function freedWhenSent(content: Readable, response: Pick<ServerResponse, 'writableLength'>): Readable {
  const sent: Readable = Readable.from(
    freed(content, () => sent.readableLength + response.writableLength),
    { objectMode: false, highWaterMark: 0 },
  )
  return sent
}

/** @param waiting how many of the bytes that were given have not left; what was given first leaves first */
async function* freed(content: Readable, waiting: () => number): AsyncGenerator<Buffer> {
  const given: Buffer[] = []
  let bytes = 0
  for await (const piece of content) {
    yield piece
    given.push(piece)
    bytes += piece.length
    while (given.length > 0 && bytes - given[0]!.length >= waiting()) {
      const gone = given.shift()!
      bytes -= gone.length
      freePiece(gone)
    }
  }
}
