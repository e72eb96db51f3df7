import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { PartWriter } from '../../files/part-writer.ts'
import { Block } from './block.ts'

const folder = '00000000-0000-4000-8000-000000000000/0-1'

/** About 100 of these records fill a file; their text shrinks to half. */
const gzipBytesMax = 4 * 1024 * 1024
const recordBytes = 80 * 1024

interface File {
  /** `Patient/…` for a header, else the id of the record. */
  readonly lines: string[]
  readonly continues: boolean
  readonly gzipBytes: number
}

/** Writes blocks of so many records, and gives the files. */
async function filesOf(blocks: readonly (readonly [owner: string, records: number])[]): Promise<File[]> {
  const stored = new Map<string, Buffer[]>()
  const create = async (path: string) => {
    const chunks: Buffer[] = []
    stored.set(path, chunks)
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(Buffer.from(chunk))
        done()
      },
    })
  }
  const writer = new PartWriter({ create }, folder, 'Parameters', gzipBytesMax)
  for (const [owner, records] of blocks) {
    const block = new Block(writer, owner, gzipBytesMax)
    await block.writeRecords([])
    for (let number = 0; number < records; number++) await block.writeRecords([recordOf(`${owner}-${number}`)])
  }
  return (await writer.end()).map(({ path, records, continues, gzipBytes }) => {
    const text = gunzipSync(Buffer.concat(stored.get(path)!)).toString('latin1')
    const lines = text.slice(0, -1).split('\n').map(nameOf)
    assert.equal(lines.length, records)
    return { lines, continues, gzipBytes }
  })
}

const recordOf = (id: string) => Buffer.from(`{"id":"${id}","n":"${randomBytes(recordBytes / 2).toString('hex')}"}`)

const nameOf = (line: string): string => /"reference":"(Patient\/[^"]*)"|"id":"([^"]*)"/.exec(line)!.slice(1).join('')

const ids = (owner: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${owner}-${from + index}`)

describe('blocks of patients (IG 3.0.0)', () => {
  it('follow one another in a file, each behind its header; a patient without a record has none', async () => {
    const files = await filesOf([
      ['a', 2],
      ['none', 0],
      ['b', 1],
    ])
    assert.deepEqual(
      files.map(({ lines, continues }) => [lines, continues]),
      [[['Patient/a', 'a-0', 'a-1', 'Patient/b', 'b-0'], false]],
    )
  })

  it('go on in the next file behind the same header when one is full, and the file says so', async () => {
    const files = await filesOf([
      ['a', 100],
      ['b', 1],
    ])
    assert.deepEqual(
      files.map(({ continues }) => continues),
      [true, false],
    )
    for (const { gzipBytes } of files) assert.ok(gzipBytes <= gzipBytesMax)
    const [first, second] = files as [File, File]
    const cut = first.lines.length - 1
    assert.deepEqual(first.lines, ['Patient/a', ...ids('a', 0, cut)])
    assert.deepEqual(second.lines.slice(0, 101 - cut), ['Patient/a', ...ids('a', cut, 100)])
  })

  it('begin a new file when the open one is more than half full, so that a small one is never divided', async () => {
    const files = await filesOf([
      ['a', 60],
      ['b', 40],
      ['c', 40],
    ])
    assert.deepEqual(
      files.map(({ lines, continues }) => [lines[0], lines.length, continues]),
      [
        ['Patient/a', 61, false],
        ['Patient/b', 82, false],
      ],
    )
  })
})
