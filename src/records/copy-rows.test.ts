import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CopyParser, type CopyRow } from './copy-rows.ts'

type Field = Uint8Array | null

const field = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: null })
const table = fc.array(fc.array(field, { maxLength: 5 }), { maxLength: 12 })

/** What PostgreSQL sends: signature, flags and extension length, rows, and -1 in the place of a count. */
function binaryCopy(rows: readonly (readonly Field[])[]): Buffer {
  const pieces: Buffer[] = [Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')]
  for (const row of rows) {
    pieces.push(int16(row.length))
    for (const value of row) pieces.push(int32(value === null ? -1 : value.length), Buffer.from(value ?? []))
  }
  return Buffer.concat([...pieces, int16(-1)])
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Pushes the bytes in chunks cut at the positions; the rows are copied, for their fields are views. */
function parse(bytes: Buffer, cuts: readonly number[]): Field[][] {
  const parser = new CopyParser()
  const edges = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
  return edges.slice(1).flatMap((end, index) => {
    const chunk = Buffer.from(bytes.subarray(edges[index], end))
    const rows = parser.push(chunk).map(fieldsOf)
    chunk.fill(0xee)
    return rows
  })
}

const fieldsOf = (row: CopyRow): Field[] =>
  Array.from({ length: row.length }, (_, field) => (row.isNull(field) ? null : Uint8Array.from(row.binary(field))))

describe('rows of a binary COPY', () => {
  it('are the same wherever the chunks are cut', () => {
    fc.assert(
      fc.property(table, fc.array(fc.nat(400), { maxLength: 30 }), (rows, cuts) => {
        assert.deepEqual(parse(binaryCopy(rows), cuts), rows)
      }),
    )
  })

  it('are the same when every byte comes alone', () => {
    const rows = [[Uint8Array.of(1, 2, 3), null], [], [new Uint8Array(0), Uint8Array.of(0xff)]]
    const bytes = binaryCopy(rows)
    assert.deepEqual(parse(bytes, [...bytes.keys()]), rows)
  })

  it('distinguish an empty value from null', () => {
    assert.deepEqual(parse(binaryCopy([[new Uint8Array(0), null]]), []), [[new Uint8Array(0), null]])
  })

  it('come as soon as they are complete', () => {
    const parser = new CopyParser()
    const bytes = binaryCopy([[Uint8Array.of(1)], [Uint8Array.of(2)]])
    const firstRowEnd = 19 + 2 + 4 + 1
    assert.equal(parser.push(bytes.subarray(0, firstRowEnd - 1)).length, 0)
    assert.equal(parser.push(bytes.subarray(firstRowEnd - 1, firstRowEnd)).length, 1)
    assert.equal(parser.push(bytes.subarray(firstRowEnd)).length, 1)
  })

  it('give numbers, flags and instants', () => {
    const int64 = (value: bigint) => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(value)
      return bytes
    }
    const greatest = 2n ** 63n - 1n
    const instants = [-1_500_000n, 0n, 1_234_567n, 800_000_000_000_000n, greatest, -greatest - 1n].map(int64)
    const rows = [
      [int32(-7), int64(-(2n ** 52n)), int64(2n ** 32n + 5n), Uint8Array.of(1), Uint8Array.of(0), ...instants],
    ]
    const [row] = new CopyParser().push(binaryCopy(rows))
    assert.equal(row!.integer(0), -7)
    assert.deepEqual([row!.bigint(1), row!.bigint(2)], [-(2 ** 52), 2 ** 32 + 5])
    assert.deepEqual([row!.flag(3), row!.flag(4)], [true, false])
    const epoch = Date.UTC(2000, 0, 1)
    assert.deepEqual(
      instants.map((_, index) => row!.instant(5 + index)),
      [
        epoch - 1_500,
        epoch,
        epoch + 1_234,
        epoch + 800_000_000_000,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
      ],
    )
  })
})
