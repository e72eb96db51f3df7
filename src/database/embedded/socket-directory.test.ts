import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, rmdirSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { type TestContext, test } from 'node:test'
import { prepareDataDirectory } from './data-directory.ts'
import { scratch } from './embedded.fixture.ts'
import { prepareSocketDirectory, socketDirectoryOf } from './socket-directory.ts'

function place(t: TestContext, name?: string) {
  const found = prepareDataDirectory(scratch(t, name))
  mkdirSync(found.cluster)
  return found
}

test('the socket directory lies in the data directory while its path fits', () => {
  const owner = { uid: 7, gid: 7 }
  const fits = `/${'d'.repeat(100 - '//socket/.s.PGSQL.5432'.length)}`
  assert.equal(socketDirectoryOf({ root: fits, owner }), `${fits}/socket`)
  assert.match(socketDirectoryOf({ root: `${fits}d`, owner }), /^\/tmp\/millrace-7-[0-9a-f]{16}$/)
  assert.match(socketDirectoryOf({ root: `/${'é'.repeat(45)}`, owner }), /^\/tmp\//, 'bytes count, not characters')
})

test('a socket directory that others may enter is refused', (t) => {
  const open = place(t)
  chmodSync(prepareSocketDirectory(open), 0o755)
  assert.throws(() => prepareSocketDirectory(open), { name: 'Failure', message: /not a private directory/ })
})

test('a link in place of the short socket directory is refused', (t) => {
  const long = place(t, 'long'.repeat(40))
  const path = prepareSocketDirectory(long)
  rmdirSync(path)
  symlinkSync(tmpdir(), path)
  assert.throws(() => prepareSocketDirectory(long), { name: 'Failure', message: /not a private directory/ })
})
