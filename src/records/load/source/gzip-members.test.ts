import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { inflated } from './gzip-members.ts'

const zeros = (length: number) => Buffer.alloc(length)
const texts = ['first\n', 'x'.repeat(300_000), 'last']
const [first, second, last] = texts.map((text) => gzipSync(text)) as [Buffer, Buffer, Buffer]

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

async function read(bytes: Buffer, size: number): Promise<string> {
  let text = ''
  for await (const chunk of inflated(inChunks(bytes, size), 64 * 1024)) text += chunk
  return text
}

describe('the members of a gzip file', () => {
  for (const [what, bytes] of [
    ['one behind the other', Buffer.concat([first, second, last])],
    ['with padding between them', Buffer.concat([first, zeros(1), second, zeros(700), last])],
    ['with padding at the end', Buffer.concat([first, second, last, zeros(2_000)])],
  ] as const) {
    for (const size of [1, 7, 512, first.length, 1_000_000]) {
      it(`${what}, in chunks of ${size}`, async () => assert.equal(await read(bytes, size), texts.join('')))
    }
  }

  it('are not followed by anything else', async () => {
    for (const [bytes, said] of [
      [Buffer.concat([first, zeros(9), Buffer.from('more')]), /something that is no gzip stands behind its end/],
      [Buffer.concat([first, Buffer.from('more')]), /incorrect header check|no gzip/],
      [Buffer.concat([first, zeros(9), second.subarray(0, -9)]), /unexpected end of file/],
    ] as const) {
      for (const size of [1, 512]) await assert.rejects(read(bytes, size), said)
    }
  })

  it('may be left before their end', async () => {
    for await (const _ of inflated(inChunks(Buffer.concat([first, second]), 10), 1_024)) break
  })
})
