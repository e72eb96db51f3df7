import { Transform } from 'node:stream'

/**
 * Lets exactly `length` bytes through. What ends earlier or goes on is an error: an answer that has announced its length would otherwise
 * wait for bytes that never come, or push them into the next answer of the connection.
 */
export function exactLength(length: number): Transform {
  let left = length
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length
      if (left < 0) done(new Error(`the stored file has more than ${length} bytes to send`))
      else done(null, chunk)
    },
    flush(done) {
      done(left === 0 ? null : new Error(`the stored file ended ${left} bytes before its end`))
    },
  })
}
