import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseByteSize } from './byte-size.ts'

test('a size is bytes, or K, M, G or T of them, up to 1024T', () => {
  for (const [text, bytes] of [
    ['0', 0],
    ['1', 1],
    ['512M', 512 * 1024 ** 2],
    ['1g', 1024 ** 3],
    ['1024T', 1024 ** 5],
    ['1125899906842624', 1024 ** 5],
  ] as const) {
    assert.equal(parseByteSize(text), bytes, text)
  }
})

test('anything else is refused', () => {
  for (const text of ['', '-1', '1.5G', 'G', '1GB', '1 G', '1025T', '1125899906842625', 'x'])
    assert.throws(() => parseByteSize(text), /A size is/, text)
})
