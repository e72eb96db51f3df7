import assert from 'node:assert/strict'
import { pipeline, Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import fc from 'fast-check'
import { type ByteRange, parseRange, sliceBytes } from './byte-range.ts'

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

  it('lets go of the source as soon as it is out, so that the rest is not inflated for nothing', async () => {
    const source = Readable.from(endless())
    const closed = new Promise((resolve) => source.once('close', resolve))
    const bytes = await slice(source, { start: 10, end: 2009 })
    assert.equal(bytes.length, 2000)
    await closed
  })
})

async function slice(source: Readable, range: ByteRange): Promise<number[]> {
  const bytes: number[] = []
  const sliced = pipeline(source, sliceBytes(range), () => {})
  for await (const chunk of sliced as AsyncIterable<Buffer>) bytes.push(...chunk)
  return bytes
}

/** Like a file: each chunk comes in a turn of its own. */
async function* endless(): AsyncGenerator<Buffer> {
  for (;;) {
    await immediate()
    yield Buffer.alloc(1_000)
  }
}
