import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type ByteRange, parseRange, sliced } from './byte-range.ts'

describe('the Range header (T-180)', () => {
  const cases: readonly [string | undefined, number, ReturnType<typeof parseRange>][] = [
    ['bytes=0-99', 1000, { start: 0, end: 99 }],
    ['bytes=0-0', 1000, { start: 0, end: 0 }],
    ['bytes=999-', 1000, { start: 999, end: 999 }],
    ['bytes=10-', 1000, { start: 10, end: 999 }],
    ['bytes=10-2000', 1000, { start: 10, end: 999 }],
    ['bytes=-10', 1000, { start: 990, end: 999 }],
    ['bytes=-2000', 1000, { start: 0, end: 999 }],
    ['Bytes=1-2', 1000, { start: 1, end: 2 }],
    [' bytes=1-2 ', 1000, { start: 1, end: 2 }],
    ['bytes=1000-', 1000, 'unsatisfiable'],
    ['bytes=1000-1001', 1000, 'unsatisfiable'],
    ['bytes=-0', 1000, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=99999999999999999999-', 1000, 'unsatisfiable'],
    ['bytes=5-4', 1000, undefined],
    ['bytes=-', 1000, undefined],
    ['bytes=0-1,3-4', 1000, undefined],
    ['bytes=a-b', 1000, undefined],
    ['items=0-1', 1000, undefined],
    ['', 1000, undefined],
    [undefined, 1000, undefined],
  ]
  for (const [header, size, expected] of cases) {
    it(`${JSON.stringify(header)} of ${size} bytes is ${JSON.stringify(expected) ?? 'ignored'}`, () => {
      assert.deepEqual(parseRange(header, size), expected)
    })
  }
})

describe('a slice of a stream', () => {
  it('is the same bytes as the slice of the whole, however the stream is chunked', async () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(chunks, fc.nat(), fc.nat(), async (pieces, a, b) => {
        const whole = Buffer.concat(pieces)
        const start = a % whole.length
        const end = start + (b % (whole.length - start))
        assert.deepEqual(await slice(Readable.from(pieces.map((piece) => Buffer.from(piece))), { start, end }), [
          ...whole.subarray(start, end + 1),
        ])
      }),
    )
  })

  it('ends with its source: what is behind the range tells whether it was right', async () => {
    async function* wrongInTheEnd() {
      yield Buffer.alloc(1_000)
      yield Buffer.alloc(1_000)
      throw new Error('wrong')
    }
    await assert.rejects(slice(Readable.from(wrongInTheEnd()), { start: 10, end: 99 }), /wrong/)
  })
})

async function slice(source: Readable, range: ByteRange): Promise<number[]> {
  const bytes: number[] = []
  for await (const chunk of sliced(source, range, { toEnd: true })) bytes.push(...chunk)
  return bytes
}
