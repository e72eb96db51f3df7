import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { patientsMin } from '../dataset.ts'
import type { HostileResult } from './hostile.ts'
import { noticed } from './notice.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
/** One attack of each kind: sockets, requests without a token, requests with one, exports. */
const only = ['silent', 'unknown callers', 'one record', 'six large exports']
let directory: string

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-hostile-'))
})
after(() => rm(directory, { recursive: true, force: true }))

test('attacks in miniature: each has its line, with what it costs and what others notice; nothing is left', async () => {
  const json = join(directory, 'hostile.json')
  const out = join(directory, 'out')
  const words = [
    '--hostile',
    '--seconds',
    '1',
    '--patients',
    `${patientsMin}`,
    '--only',
    only.join(','),
    '--out',
    out,
    '--json',
    json,
  ]
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...words])
  const result = JSON.parse(await readFile(json, 'utf8')) as HostileResult
  const names = result.attacks.map(({ attack }) => attack)
  for (const piece of only)
    assert.ok(
      names.some((name) => name.includes(piece)),
      piece,
    )
  assert.equal(names.length, only.length)
  for (const { attack, cost, ratios, ms } of result.attacks) {
    assert.ok(cost.requests + cost.connections > 0, attack)
    for (const kind of noticed) assert.ok(ms[kind] > 0 && ratios[kind] > 0, `${attack}, ${kind}`)
    assert.ok(stdout.includes(`| ${attack} |`), attack)
  }
  assert.deepEqual(await readdir(out), [])
})
