import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { TestServer } from './server.ts'

test('the key of the sandbox lies in the data directory, wherever the files of exports lie', async (t) => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'millrace-files-'))
  t.after(() => rm(elsewhere, { recursive: true, force: true }))
  const server = await TestServer.start(['--sandbox', '--files', join(elsewhere, 'files')])
  t.after(() => server.stop())
  assert.equal((await stat(join(server.directory, 'sandbox-client.jwk.json'))).mode & 0o777, 0o600)
  assert.ok((await readdir(elsewhere)).every((name) => name === 'files'))
})
