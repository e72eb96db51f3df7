import { Transform } from 'node:stream'
import { crc32 } from 'node:zlib'
import { DamagedFile } from './file-store.ts'

/**
 * Lets exactly `length` bytes through. What ends earlier or goes on is an error: an answer that has announced its length would otherwise
 * wait for bytes that never come, or push them into the next answer of the connection. The last bytes wait until the end has shown that all
 * of them are right.
 * @param crc the CRC-32 that the bytes must have, where it is known
 */
export function exactLength(length: number, crc: number | undefined): Transform {
  let left = length
  let sum = 0
  let held: Buffer | undefined
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length
      if (left < 0) return done(new DamagedFile(`it has more than ${length} bytes to send`))
      if (crc !== undefined) sum = crc32(chunk, sum)
      const before = held
      held = chunk
      done(null, before)
    },
    flush(done) {
      if (left > 0) return done(new DamagedFile(`it ended ${left} bytes before its end`))
      if (crc !== undefined && sum !== crc) return done(new DamagedFile('its bytes are not those that were published'))
      done(null, held)
    },
  })
}
