import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Failure } from '../../failure.ts'
import { population } from '../../population/population.ts'
import { generateCommand } from './generate.ts'

let directory = ''
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-generate-'))
})
after(() => rm(directory, { recursive: true }))

async function generate(...args: string[]): Promise<string> {
  let text = ''
  const output = { write: (more: string) => (text += more) }
  await generateCommand(output).exitOverride().parseAsync(args, { from: 'user' })
  return text
}

function expected(type: string): string {
  return [...population({ patients: 3, seed: 9, pagePatients: true })]
    .filter((record) => record.type === type)
    .map(({ line }) => `${line}\n`)
    .join('')
}

const options = ['--patients', '3', '--seed', '9', '--page-patients']

test('each type gets a file of its lines, for its owner only, and a table tells the counts', async () => {
  const out = join(directory, 'plain')
  const text = await generate(...options, '--out', out)
  for (const type of ['Patient', 'Observation', 'Group']) {
    assert.equal(await readFile(join(out, `${type}.ndjson`), 'utf8'), expected(type))
  }
  assert.equal((await stat(out)).mode & 0o777, 0o700)
  for (const name of await readdir(out)) assert.equal((await stat(join(out, name))).mode & 0o777, 0o600)
  assert.match(text, /^Patient\.ndjson +3 /m)
  assert.match(text, /^Total +\d/m)
  assert.match(text, /millrace load --tenant TENANT/)
})

test('--gzip compresses, --json prints one object with the same counts', async () => {
  const out = join(directory, 'compressed')
  const summary = JSON.parse(await generate(...options, '--out', out, '--gzip', '--json'))
  assert.equal(gunzipSync(await readFile(join(out, 'Condition.ndjson.gz'))).toString(), expected('Condition'))
  assert.equal(summary.patients, 3)
  assert.equal(summary.directory, out)
  const names = summary.files.map(({ name }: { name: string }) => name).sort()
  assert.deepEqual(names, (await readdir(out)).sort())
  for (const { name, file_bytes, bytes } of summary.files) {
    const data = await readFile(join(out, name))
    assert.equal(data.length, file_bytes)
    assert.equal(gunzipSync(data).length, bytes)
  }
})

test('--heavy-patient adds a patient with that many observations', async () => {
  const out = join(directory, 'heavy')
  const text = await generate('--patients', '1', '--heavy-patient', '1000', '--out', out)
  assert.match(text, /^Patient\.ndjson +2 /m)
  assert.match(text, /has 1,000 observations/)
})

test('--types all adds records of other types; those that there are without are the same', async () => {
  const out = join(directory, 'all')
  const summary = JSON.parse(await generate(...options, '--types', 'all', '--out', out, '--json'))
  assert.equal(summary.types, 'all')
  assert.ok(summary.files.some(({ name }: { name: string }) => name === 'Claim.ndjson'))
  const without = expected('Patient')
  assert.equal(await readFile(join(out, 'Patient.ndjson'), 'utf8'), without)
  await assert.rejects(generate(...options, '--types', 'some', '--out', join(directory, 'some')), (error) => {
    assert.ok(error instanceof Failure)
    assert.match(error.advice, /documented or --types all/)
    return true
  })
})

test('a directory that holds something is refused and left alone', async () => {
  const out = await mkdtemp(join(directory, 'full-'))
  await writeFile(join(out, 'notes.txt'), 'mine')
  await assert.rejects(generate(...options, '--out', out), (error) => {
    assert.ok(error instanceof Failure)
    assert.match(error.message, /is not empty/)
    return true
  })
  assert.deepEqual(await readdir(out), ['notes.txt'])
})

test('a place that cannot be written to is a Failure', async () => {
  const file = join(directory, 'a-file')
  await writeFile(file, '')
  await assert.rejects(generate(...options, '--out', file), Failure)
  await assert.rejects(generate(...options, '--out', join(file, 'below')), Failure)
})

const impossible: readonly (readonly [why: string, ...args: string[]])[] = [
  ['no patients', '--patients', '0'],
  ['not a number', '--patients', 'many'],
  ['too many patients', '--patients', '9000001'],
  ['a fraction', '--patients', '1.5'],
  ['a negative seed', '--patients', '1', '--seed=-1'],
  ['a seed beyond 32 bits', '--patients', '1', '--seed', '4294967296'],
  ["fewer patients than the page's", '--patients', '2', '--page-patients'],
  ['a heavy patient who is not', '--patients', '1', '--heavy-patient', '10'],
]
for (const [why, ...args] of impossible) {
  test(`${why} is refused before anything is written`, async () => {
    const out = join(directory, 'never')
    await assert.rejects(generate(...args, '--out', out), (error) => {
      assert.ok(error instanceof Failure)
      assert.match(error.advice, /a whole number from/)
      return true
    })
    await assert.rejects(stat(out))
  })
}

test('--help has examples', () => {
  let text = ''
  const command = generateCommand().configureOutput({ writeOut: (more) => (text += more) })
  command.outputHelp()
  assert.match(text, /Examples:\n {2}\$ bin\/millrace generate --patients 200/)
})
