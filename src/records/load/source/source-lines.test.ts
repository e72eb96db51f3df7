import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SharedBuffers } from '../shared-buffers.ts'
import { lineBlocksOf, linesIn } from './source-lines.ts'

const bytesMax = 8

interface Found {
  readonly number: number
  readonly text: string | undefined
}

async function* chunksOf(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const edges = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
  for (const [index, end] of edges.slice(1).entries()) yield bytes.subarray(edges[index], end)
}

/** With blocks that are smaller than the longest line, and larger. */
const blockSizes = [3, 64]

async function read(text: string, cuts: readonly number[] = []): Promise<Found[]> {
  const [found, ...others] = await Promise.all(blockSizes.map((blockBytes) => readInBlocks(text, cuts, blockBytes)))
  for (const other of others) assert.deepEqual(other, found)
  return found!
}

async function readInBlocks(text: string, cuts: readonly number[], blockBytes: number): Promise<Found[]> {
  const found: Found[] = []
  let number = 0
  const buffers = new SharedBuffers()
  for await (const block of lineBlocksOf(chunksOf(Buffer.from(text), cuts), buffers, blockBytes, bytesMax)) {
    for (const { bytes } of linesIn(block, bytesMax)) {
      number++
      if (bytes?.length !== 0) found.push({ number, text: bytes?.toString('utf8') })
    }
    buffers.give(block.bytes)
  }
  return found
}

/** The same by splitting the whole text at once. */
function naive(text: string): Found[] {
  const lines = text.split('\n').map((line, index) => ({ number: index + 1, text: line.replace(/\r$/, '') }))
  return lines
    .filter((line) => line.text !== '')
    .map(({ number, text: line }) => ({ number, text: Buffer.byteLength(line) > bytesMax ? undefined : line }))
}

describe('lines of a file', () => {
  it('end at line feeds, with or without a carriage return', async () => {
    assert.deepEqual(await read('a\nb\r\nc\n'), [
      { number: 1, text: 'a' },
      { number: 2, text: 'b' },
      { number: 3, text: 'c' },
    ])
  })

  it('include a last one without a line feed', async () => {
    assert.deepEqual(await read('a\nb'), [
      { number: 1, text: 'a' },
      { number: 2, text: 'b' },
    ])
  })

  it('are counted when empty', async () => {
    assert.deepEqual(await read('\n\r\na\n\n'), [{ number: 3, text: 'a' }])
  })

  it('keep a carriage return that is not at the end', async () => {
    assert.deepEqual(await read('a\rb\n'), [{ number: 1, text: 'a\rb' }])
  })

  for (const [name, ending] of [
    ['a line feed', '\n'],
    ['CRLF', '\r\n'],
    ['the end of the file', ''],
  ] as const) {
    it(`may be as long as the bound, and not longer, before ${name}`, async () => {
      const cuts = Array.from({ length: 12 }, (_, index) => index)
      for (const places of [[], cuts]) {
        assert.deepEqual(await read(`1234567${ending}`, places), [{ number: 1, text: '1234567' }])
        assert.deepEqual(await read(`12345678${ending}`, places), [{ number: 1, text: '12345678' }])
        assert.deepEqual(await read(`123456789${ending}`, places), [{ number: 1, text: undefined }])
      }
    })
  }

  it('go on after one that is too long', async () => {
    assert.deepEqual(await read(`a\n${'x'.repeat(50)}\nb`, [5, 20, 40]), [
      { number: 1, text: 'a' },
      { number: 2, text: undefined },
      { number: 3, text: 'b' },
    ])
  })

  it('are the same wherever the chunks are cut', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '\r', '\n', '\r\n', 'longer'), maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(80), { maxLength: 10 }), async (lines, cuts) => {
        assert.deepEqual(await read(lines, cuts), naive(lines))
      }),
    )
  })
})
