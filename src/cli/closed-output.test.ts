import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../main.ts', import.meta.url))

test('a command whose standard output nobody reads any more ends, and says nothing', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-closed-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const words = [program, 'generate', '--patients', '1', '--json', '--out', join(directory, 'out')]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const said = text(child.stderr)
  assert.deepEqual(await once(child, 'exit'), [141, null])
  assert.equal(await said, '')
})
