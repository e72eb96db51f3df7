import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '../../src/database/connection.ts'

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const servers = 5

test('servers that start at once on an empty database all come up', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-many-'))
  const database = await openDatabase({ kind: 'embedded', directory: join(directory, 'data') }, { log: () => {} })
  const children: ChildProcess[] = []
  t.after(async () => {
    await Promise.all(children.map(ended))
    await database.close()
    await rm(directory, { recursive: true, force: true })
  })
  const { host = '', user, database: name } = database.connection
  const store = `postgresql://${user}@localhost/${name}?host=${encodeURIComponent(host)}`
  const flags = ['--database-url', store, '--port', '0', '--workers', '1', '--files', join(directory, 'files')]
  const said = await Promise.all(
    Array.from({ length: servers }, () => {
      const child = spawn(process.execPath, [program, 'serve', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] })
      children.push(child)
      return firstWords(child)
    }),
  )
  for (const words of said) assert.match(words, /Millrace serves/)
  const credentials = said.filter((words) => /administrator's credential/.test(words))
  assert.equal(credentials.length, 1, 'one of them made the credential')
})

/** What a server says until it serves or ends. */
function firstWords(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    child.stderr?.on('data', (chunk) => {
      text += chunk
      if (text.includes('Millrace serves')) resolve(text)
    })
    child.once('exit', () => resolve(text))
  })
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
