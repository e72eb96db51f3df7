import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { population } from '../src/population/population.ts'
import { openDataset, patientsMin, seed } from './dataset.ts'

const { signal } = new AbortController()
let out: string

before(async () => {
  out = await mkdtemp(join(tmpdir(), 'millrace-bench-dataset-'))
})
after(() => rm(out, { recursive: true, force: true }))

async function linesOf(directory: string): Promise<string[]> {
  const names = await readdir(directory)
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')))
  return texts.flatMap((text) => text.trimEnd().split('\n'))
}

test('the slices together are the population, and begin where patients begin', async () => {
  const dataset = await openDataset(out, 40, signal)
  const slices = await Promise.all(dataset.slices.map(({ directory }) => linesOf(directory)))
  assert.deepEqual(slices.flat().sort(), [...population({ seed, patients: 40 })].map(({ line }) => line).sort())
  assert.deepEqual(
    slices.map((lines) => lines.filter((line) => JSON.parse(line).resourceType === 'Patient').length),
    [3, 1, 36],
  )
  assert.deepEqual(
    dataset.slices.map(({ records }) => records),
    slices.map((lines) => lines.length),
  )
  const patients = slices
    .flat()
    .map((line) => JSON.parse(line))
    .filter(({ resourceType }) => resourceType === 'Patient')
  assert.deepEqual(new Set(dataset.patients), new Set(patients.map(({ id }) => id)))
})

test('a dataset is used again, and made anew when it is not the generator’s', async () => {
  const { slices } = await openDataset(out, patientsMin, signal)
  const file = join(slices[0]!.directory, 'Patient.ndjson')
  const { mtimeMs } = await stat(file)
  assert.deepEqual((await openDataset(out, patientsMin, signal)).slices, slices)
  assert.equal((await stat(file)).mtimeMs, mtimeMs)
  const description = join(slices[0]!.directory, '..', 'dataset.json')
  const described = JSON.parse(await readFile(description, 'utf8'))
  await rm(description)
  await appendFile(description, JSON.stringify({ ...described, fingerprint: 'another' }))
  assert.deepEqual((await openDataset(out, patientsMin, signal)).slices, slices)
  assert.notEqual((await stat(file)).mtimeMs, mtimeMs)
})
