import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')

/** Beyond this a folder wants rooms of its own (decision 0033). */
const filesMax = 24

/** Nouns that are seen from several sides: in the store, over HTTP, on the command line, by a client. */
const seenFromSeveralSides = new Set([
  ...[
    'audit',
    'client',
    'clients',
    'demo',
    'export',
    'job',
    'jobs',
    'kick-off',
    'load',
    'manifest',
    'pack',
    'tenant',
    'tenants',
    'token',
  ],
  // A reference of FHIR, and the search type that matches one. Each folder has its limits.
  ...['reference', 'limits'],
])

const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => relative(join(root, 'src'), join(parentPath, name)))

/** Every folder and file of the first code block that begins with `src/`, by its path: two more blanks are one room further in. */
function treeOf(text: string): string[] {
  const [, tree = ''] = /```\nsrc\/\n([\s\S]*?)```/.exec(text) ?? []
  const within: string[] = []
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', names = ''] = /^( +)((?:[\w.-]+\/?(?: (?=\w))?)+)/.exec(line) ?? []
    const depth = indent.length / 2
    if (!Number.isInteger(depth) || depth < 1 || depth > 3) return []
    const paths = names.split(' ').filter((name) => name !== '')
    within[depth] = `${within[depth - 1] ?? ''}${paths[0]}`
    return paths.map((name) => `${within[depth - 1] ?? ''}${name}`)
  })
}

test('the tree of ARCHITECTURE.md shows every folder of src/, and no other', () => {
  const folders = new Set(sources.map(dirname).filter((folder) => folder !== '.'))
  const shown = treeOf(page).filter((path) => path.endsWith('/'))
  assert.deepEqual(shown.map((path) => path.slice(0, -1)).sort(), [...folders].sort())
})

test('the tree of ARCHITECTURE.md shows every file that lies in src/ itself', () => {
  const files = treeOf(page).filter((path) => !path.endsWith('/'))
  assert.deepEqual(files.sort(), sources.filter((path) => dirname(path) === '.').sort())
})

test(`no folder holds more than ${filesMax} files`, () => {
  const counts = new Map<string, number>()
  for (const path of sources) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
  assert.deepEqual(
    [...counts].filter(([, count]) => count > filesMax),
    [],
  )
})

test('what ARCHITECTURE.md says is in a file is there', () => {
  const wrong = [...page.matchAll(/`(\w+)` in `((?:[\w-]+\/)+[\w-]+\.ts)`/g)].filter(
    ([, name = '', path = '']) => !readFileSync(join(root, 'src', path), 'utf8').includes(name),
  )
  assert.deepEqual(wrong, [])
})

test('every file that ARCHITECTURE.md names exists', () => {
  const named = [...page.matchAll(/`((?:src|test|[a-z]+)\/[\w./-]+\.(?:ts|sql))`/g)].map(([, path = '']) => path)
  const missing = named.filter((path) => !existsSync(join(root, path)) && !existsSync(join(root, 'src', path)))
  assert.deepEqual(missing, [])
})

test('no two names of a folder differ by an s alone', () => {
  const withoutS = (path: string) => path.replace(/s?\.ts$/, '')
  const places = Map.groupBy(
    sources.filter((path) => /^[^.]+\.ts$/.test(path)),
    (path) => withoutS(path),
  )
  assert.deepEqual(
    [...places.values()].filter((paths) => paths.length > 1),
    [],
  )
})

test('a file name stands for one thing, or for one noun seen from several sides', () => {
  const places = Map.groupBy(sources, (path) => basename(path))
  const twice = [...places].filter(([name, paths]) => {
    const tops = new Set(paths.map((path) => path.split('/')[0]))
    return paths.length > 1 && !(seenFromSeveralSides.has(name.split('.')[0]!) && tops.size === paths.length)
  })
  assert.deepEqual(twice, [])
})

test('what only tests use is called so: a file that only tests import is a fixture', () => {
  const imported = new Set<string>()
  for (const path of sources.filter((path) => /\.ts$/.test(path) && !/\.(test|fixture)\.ts$/.test(path))) {
    const text = readFileSync(join(root, 'src', path), 'utf8')
    for (const [, target = ''] of text.matchAll(/(?:from|import\(|URL\() ?'(\.[^']+\.ts)'/g))
      imported.add(join(dirname(path), target))
  }
  const orphans = sources.filter(
    (path) => path.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(path) && path !== 'main.ts' && !imported.has(path),
  )
  assert.deepEqual(orphans, [])
})
