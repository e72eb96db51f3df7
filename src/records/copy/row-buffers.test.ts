import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { CopyRow } from './copied-row.ts'
import { RowBuffers } from './row-buffers.ts'

/** A message with one row of one field. */
function message(content: Buffer): Buffer {
  const bytes = Buffer.alloc(6 + content.length)
  bytes.writeInt16BE(1)
  bytes.writeInt32BE(content.length, 2)
  content.copy(bytes, 6)
  return bytes
}

/** What a piece holds for rows; the row of a message of just so many bytes fills it. */
const pieceBytes = 128 * 1024

const memoryOf = (row: CopyRow) => row.binary(0).buffer

describe('the buffers of rows', () => {
  it('keeps rows when their messages are overwritten', () => {
    const buffers = new RowBuffers()
    const bytes = message(Buffer.from('first'))
    const row = buffers.take(bytes, 0)!
    bytes.fill(0)
    assert.equal(row.text(0), 'first')
  })

  it('keeps each batch until the one after it is given, whatever the sizes (property)', () => {
    const size = fc.oneof(fc.nat(200), fc.nat(2 * pieceBytes))
    fc.assert(
      fc.property(fc.array(fc.array(size, { minLength: 1, maxLength: 8 }), { maxLength: 12 }), (batches) => {
        const buffers = new RowBuffers()
        let given: [CopyRow, Buffer][] = []
        let letter = 0
        for (const sizes of batches) {
          const taken = sizes.map((size): [CopyRow, Buffer] => {
            const content = Buffer.alloc(size, (letter++ % 255) + 1)
            return [buffers.take(message(content), 0)!, content]
          })
          for (const [row, content] of given) assert.ok(row.binary(0).equals(content))
          buffers.turn()
          given = taken
        }
      }),
      { numRuns: 200 },
    )
  })

  it('uses the pieces of batches that were read again, not those of larger rows', () => {
    const buffers = new RowBuffers()
    const take = (size: number) => {
      const row = buffers.take(message(Buffer.alloc(size - 6)), 0)!
      buffers.turn()
      return memoryOf(row)
    }
    const [first, second] = [take(pieceBytes), take(pieceBytes)]
    const larger = take(pieceBytes + 1)
    const later = [take(10), take(pieceBytes - 1), take(10), take(pieceBytes)]
    assert.equal(new Set(later).size, 2)
    assert.deepEqual(new Set(later), new Set([first, second]))
    assert.equal(larger.byteLength, pieceBytes + 1)
  })

  it('takes nothing that is not just a row', () => {
    const row = message(Buffer.from('content'))
    for (const bytes of [Buffer.alloc(0), row.subarray(0, -1), Buffer.concat([row, Buffer.from([0])])])
      assert.equal(new RowBuffers().take(bytes, 0), undefined)
    assert.equal(new RowBuffers().take(Buffer.concat([Buffer.from('before'), row]), 6)!.text(0), 'content')
  })
})
