import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { maskPasswords } from './masked-password.ts'

const program = fileURLToPath(new URL('../main.ts', import.meta.url))
const password = 'hunter2-and:more'
const url = `postgresql://millrace:${password}@127.0.0.1:1/millrace`

test('passwords of database URLs are masked wherever they stand in a text', () => {
  assert.equal(maskPasswords(`error: ${url}, or ${url}`).includes('hunter2'), false)
  assert.equal(maskPasswords('postgres://h/d?user=u&password=hunter2&x=1'), 'postgres://h/d?user=u&password=***&x=1')
  const plain = 'postgresql://millrace@db/millrace at 10:30, mail@example.org'
  assert.equal(maskPasswords(plain), plain)
})

for (const [what, flags, warnings] of [
  ['given', ['--database-url', url], 1],
  ['given as a parameter', ['--database-url', `postgresql://u@127.0.0.1:1/d?password=${password}`], 1],
  ['given with a flag that is misspelt', [`--databse-url=${url}`], 0],
  ['not given', ['--database-url', 'postgresql://u@127.0.0.1:1/d'], 0],
] as const) {
  test(`a password in an argument, ${what}: no output shows it, and it is warned about ${warnings} times`, () => {
    const { stdout, stderr } = spawnSync(process.execPath, [program, 'tenant', 'list', ...flags], { encoding: 'utf8' })
    assert.doesNotMatch(stdout + stderr, /hunter2/)
    assert.equal(stderr.match(/can read the password/g)?.length ?? 0, warnings, stderr)
  })
}
