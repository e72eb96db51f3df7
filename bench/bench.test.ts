import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { catalogue, type FigureName } from './catalogue.ts'
import { patientsMin } from './dataset.ts'
import type { Result } from './figure.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
let directory: string

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
})
after(() => rm(directory, { recursive: true, force: true }))

/** Runs the benchmark in miniature. */
async function bench(...words: readonly string[]): Promise<{ result: Result; printed: string; left: string[] }> {
  const out = join(directory, 'out')
  const json = join(directory, 'result.json')
  const all = [main, '--patients', `${patientsMin}`, '--repeats', '1', '--out', out, '--json', json, ...words]
  const { stdout } = await promisify(execFile)(process.execPath, all)
  return {
    result: JSON.parse(await readFile(json, 'utf8')),
    printed: stdout,
    left: (await readdir(out, { recursive: true })).sort(),
  }
}

/** Only Linux tells the peak of a process. */
const isMeasured = (name: FigureName): boolean => process.platform === 'linux' || !name.includes('memory')

test('every measure of the catalogue yields a number; a kept store is used again, with the figures of its loading', async () => {
  const { result, printed, left } = await bench('--keep')
  assert.deepEqual(
    result.figures.map(({ name }) => name),
    (Object.keys(catalogue) as FigureName[]).filter(isMeasured),
  )
  for (const { name, label, value, reached } of result.figures) {
    assert.ok(Number.isFinite(value) && value > 0, `${name} is ${value}`)
    assert.equal(reached, null)
    assert.ok(printed.includes(label), label)
  }
  assert.equal(result.dataset.storedRecords.at(-1), result.dataset.records)
  for (const kept of ['store', 'store.json', `dataset-seed-1-patients-${patientsMin}`]) {
    assert.ok(left.includes(join('millrace-bench', kept)))
  }

  const again = await bench('--only', 'small')
  const loading = ({ figures }: Result) =>
    figures.filter(({ name }) => /^(load|stored)/.test(name)).map(({ name, samples }) => [name, samples])
  assert.deepEqual(loading(again.result), loading(result))
  assert.equal(again.result.notes.length, result.notes.length + 1)
  assert.deepEqual(again.left, ['cost.svg', 'result.json', 'throughput.svg'])
})
