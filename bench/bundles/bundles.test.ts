import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { BundleResult } from './bundles.ts'
import { bundleRecords, patientBundles } from './patient-bundles.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

test('Bundles in miniature: each kind has its line, and nothing is left', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bundles-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  const [json, out] = [join(directory, 'bundles.json'), join(directory, 'out')]
  const words = [main, '--bundles', '1', '--out', out, '--json', json]
  const { stdout } = await promisify(execFile)(process.execPath, words)
  const results = JSON.parse(await readFile(json, 'utf8')) as BundleResult[]
  assert.equal(results.length, 5)
  for (const { label, records, ms, processorMicros } of results) {
    assert.ok(stdout.includes(label), label)
    assert.equal(records, bundleRecords)
    assert.ok(ms.median > 0 && ms.p99 >= ms.median, label)
    if (process.platform === 'linux') assert.ok(processorMicros!.requestThreads >= 0, label)
  }
  assert.deepEqual(await readdir(out), [])
})

test('a Bundle has a hundred records of one patient, which refer to one another', () => {
  for (const method of ['POST', 'PUT'] as const) {
    for (const withProvenances of [false, true]) {
      const [bundle] = patientBundles({ method, withProvenances }, 0).take(1)
      const { entry } = JSON.parse(`${bundle}`)
      assert.equal(entry.length, bundleRecords)
      const types = Map.groupBy(
        entry as { resource: { resourceType: string } }[],
        ({ resource }) => resource.resourceType,
      )
      assert.equal(types.get('Patient')!.length, 1)
      assert.equal(types.has('Provenance'), withProvenances)
      const urls = new Set(entry.map(({ fullUrl }: { fullUrl: string }) => fullUrl))
      const uuids = `${bundle}`.match(/(?<="reference"\s*:\s*")urn:uuid:[^"]+/g) ?? []
      assert.equal(uuids.length >= bundleRecords - 1, method === 'POST')
      assert.ok(uuids.every((uuid) => urls.has(uuid)))
    }
  }
})
