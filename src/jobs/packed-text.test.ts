import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { packIds, packText, unpackIds, unpackText } from './packed-text.ts'

test('texts and ids come out as they went in: none, nobody, and many', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
      assert.equal(await unpackText(await packText(text)), text)
    }),
  )
  for (const ids of [[], [''], ['', 'a'], ['a', 'b.c-D']]) assert.deepEqual(await unpackIds(await packIds(ids)), ids)
})

test('what a migration wrote is text as it is', async () => {
  assert.deepEqual(await unpackIds(Buffer.from('\0\n')), [''])
  assert.deepEqual(await unpackIds(Buffer.from('\0a\nb\n')), ['a', 'b'])
  assert.deepEqual(await unpackIds(Buffer.from('\0')), [])
  await assert.rejects(unpackText(Buffer.from('\x02a')), /unknown form/)
})

test('20,000 UUIDs take less than two thirds of their digits', async () => {
  const ids = Array.from({ length: 20_000 }, () => randomUUID())
  assert.ok((await packIds(ids)).length < 20_000 * 24)
})
