import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Failure } from '../../failure.ts'
import { findBinaries, mendLinks } from './binaries.ts'

test('the package for this platform carries PostgreSQL 18', () => {
  const version = execFileSync(findBinaries().postgres, ['--version'], { encoding: 'utf8' })
  assert.match(version, /^postgres \(PostgreSQL\) 18\./)
})

test('a platform without a package is a failure that names --database-url', () => {
  assert.throws(
    () => findBinaries('sunos', 'sparc'),
    (error) => error instanceof Failure && /sunos-sparc/.test(error.message) && /--database-url/.test(error.advice),
  )
})

test('missing library links are made, relative to their directory, and present ones are left alone', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'millrace-links-'))
  t.after(() => rm(root, { recursive: true }))
  await mkdir(join(root, 'native/lib'), { recursive: true })
  await writeFile(join(root, 'native/lib/libx.so.1.2'), '')
  const links = ['native/lib/libx.so', 'native/lib/libx.so.1'].map((target) => ({
    source: 'native/lib/libx.so.1.2',
    target,
  }))
  await writeFile(join(root, 'native/pg-symlinks.json'), JSON.stringify(links))
  mendLinks(root)
  assert.equal(await readlink(join(root, 'native/lib/libx.so')), 'libx.so.1.2')
  const { ino } = await lstat(join(root, 'native/lib/libx.so.1'))
  mendLinks(root)
  assert.equal((await lstat(join(root, 'native/lib/libx.so.1'))).ino, ino)
})

test('a library link that cannot be made is a failure', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'millrace-links-'))
  t.after(() => rm(root, { recursive: true }))
  await mkdir(join(root, 'native'))
  const links = [{ source: 'native/lib/libx.so.1', target: 'native/lib/libx.so' }]
  await writeFile(join(root, 'native/pg-symlinks.json'), JSON.stringify(links))
  assert.throws(() => mendLinks(root), { name: 'Failure', message: /libx\.so \(ENOENT/ })
})
