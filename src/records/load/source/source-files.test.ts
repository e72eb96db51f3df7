import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Failure } from '../../../failure.ts'
import { findSourceFiles } from './source-files.ts'

describe('the files of a load', () => {
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-source-'))
  })
  after(() => rm(directory, { recursive: true }))

  /** Files by their paths; a value that begins with `->` is a link. */
  async function folder(name: string, contents: Record<string, string>): Promise<string> {
    const root = join(directory, name)
    for (const [path, text] of Object.entries(contents)) {
      await mkdir(join(root, path, '..'), { recursive: true })
      if (text.startsWith('->')) await symlink(join(root, text.slice(2)), join(root, path))
      else await writeFile(join(root, path), text)
    }
    return root
  }

  async function found(root: string) {
    const { files, passedOver, unreadable } = await findSourceFiles([root])
    const named = (path: string) => relative(root, path)
    return {
      files: files.map(({ path }) => named(path)),
      passedOver: passedOver.first.map(named),
      unreadable: unreadable.map(({ path, reason }) => [named(path), reason]),
    }
  }

  it('have known endings, numbers behind them, or none', async () => {
    const names = ['a.ndjson', 'b.jsonl', 'c.json', 'd.NDJSON.gz', 'e.ndjson.1', 'f.ndjson.gz.2', 'g', 'h.gz', 'i.3']
    const root = await folder('endings', Object.fromEntries(names.map((name) => [name, ''])))
    assert.deepEqual((await found(root)).files, names)
  })

  it('of another kind are passed over by name in folders, and taken when they are named', async () => {
    const root = await folder('others', { 'README.md': '', 'notes.txt': '', 'a.ndjson': '' })
    assert.deepEqual(await found(root), { files: ['a.ndjson'], passedOver: ['README.md', 'notes.txt'], unreadable: [] })
    assert.equal((await findSourceFiles([join(root, 'notes.txt')])).files.length, 1)
  })

  it('come in the order of their names, Provenance last of each folder', async () => {
    const root = await folder('order', {
      'Provenance.ndjson': '',
      'Zzz.ndjson': '',
      '1/Provenance.ndjson': '',
      '1/Z.json': '',
    })
    const expected = ['1/Z.json', '1/Provenance.ndjson', 'Zzz.ndjson', 'Provenance.ndjson']
    assert.deepEqual((await found(root)).files, expected)
  })

  it('are found behind links, each folder once, and a link that leads nowhere is told', async () => {
    const root = await folder('links', {
      'real/a.ndjson': '',
      'file.ndjson': '->real/a.ndjson',
      'real/loop': '->real',
      z: '->real',
      'broken.ndjson': '->gone',
    })
    assert.deepEqual(await found(root), {
      files: ['file.ndjson', 'real/a.ndjson'],
      passedOver: [],
      unreadable: [['broken.ndjson', 'a link that leads nowhere']],
    })
  })

  it('must exist when they are named, and there must be one', async () => {
    await assert.rejects(findSourceFiles([join(directory, 'nowhere')]), Failure)
    await assert.rejects(findSourceFiles([await folder('none', { 'a.txt': '' })]), Failure)
  })
})
