import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Failure } from '../failure.ts'
import type { PopulationRecord } from './record.ts'
import { writeFiles } from './write-files.ts'

let root = ''
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-files-'))
})
after(() => rm(root, { recursive: true }))

const newDirectory = (): Promise<string> => mkdtemp(join(root, 'd-'))

function* lines(): Generator<PopulationRecord> {
  for (let n = 0; n < 2_000; n++) {
    const text = n % 500 === 7 ? 'é'.repeat(300_000) : `line ${n} 👓 ${'x'.repeat(n % 900)}`
    yield { type: n % 3 === 0 ? 'Odd' : 'Even', id: String(n), line: text }
  }
}

for (const gzip of [false, true]) {
  test(`lines of every length come out in order${gzip ? ', compressed' : ''}`, async () => {
    const directory = await newDirectory()
    let told = 0
    const files = await writeFiles(lines(), directory, gzip, () => {
      told += 1
    })
    assert.equal(told, 2_000)
    for (const { type, name, records, bytes, fileBytes } of files) {
      const wanted = [...lines()].filter((record) => record.type === type).map(({ line }) => `${line}\n`)
      const data = await readFile(join(directory, name))
      const content = gzip ? gunzipSync(data) : data
      assert.ok(content.equals(Buffer.from(wanted.join(''))), name)
      assert.deepEqual([records, bytes, fileBytes], [wanted.length, content.length, data.length])
    }
  })
}

test('a file that cannot be written ends it with a Failure', async () => {
  for (const gzip of [false, true]) {
    const directory = await newDirectory()
    await writeFile(join(directory, gzip ? 'Odd.ndjson.gz' : 'Odd.ndjson'), 'mine')
    await assert.rejects(
      writeFiles(lines(), directory, gzip, () => {}),
      (error) => error instanceof Failure && /Cannot write to .*EEXIST/.test(error.message),
    )
  }
})

test('what goes wrong in the stream of records is not taken for a full disk', async () => {
  const broken = function* (): Generator<PopulationRecord> {
    yield { type: 'Odd', id: '1', line: '{}' }
    throw new TypeError('a mistake')
  }
  await assert.rejects(
    writeFiles(broken(), await newDirectory(), false, () => {}),
    TypeError,
  )
})
