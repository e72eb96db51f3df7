import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { assertLinear, workOf } from './growth.ts'
import { parsers } from './parsers.ts'
import { untabled } from './untabled.ts'

/** Pieces of the smallest input. */
const size = 200

for (const { file, does, reading, shapes, from = size } of parsers) {
  test(`${file} ${does}: work grows no faster than the input`, async (context) => {
    for (const [shape, inputOf] of Object.entries(shapes)) {
      await context.test(shape, () => assertLinear(from, (pieces) => workOf(reading(inputOf(pieces) as never))))
    }
  })
}

const sources = fileURLToPath(new URL('../../src', import.meta.url))

/** Folders of nothing but readers of what others write. Elsewhere those count that are called so. */
const rooms = ['fhir', 'filter', 'protocol/request', 'protocol/plan', 'http/records/bundle', 'records/load/source']
const readerPattern = /^export (?:async )?(?:function\*?|const) (?:parse|read|scan|check|verify)[A-Z]/m

const texts = new Map(
  readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.(?:test|fixture|generated)\.ts$/.test(path))
    .map((path) => [path, readFileSync(join(sources, path), 'utf8')]),
)

const isReader = (path: string, text: string): boolean =>
  (rooms.some((room) => path.startsWith(`${room}/`)) &&
    /^export (?:async )?(?:function|class|const \w+ = \()/m.test(text)) ||
  readerPattern.test(text)

/** Nothing is called of what is only a type. */
const typeImport = /^import type [^']*from '[^']*'$/gm

/** The files that the table calls, and those that they import. */
function reached(): Set<string> {
  const found = new Set<string>()
  const pending = parsers.map(({ file }) => file)
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (found.has(path)) continue
    found.add(path)
    const imports = texts
      .get(path)!
      .replaceAll(typeImport, '')
      .matchAll(/from '(\.[^']+\.ts)'/g)
    for (const [, target = ''] of imports)
      if (texts.has(join(dirname(path), target))) pending.push(join(dirname(path), target))
  }
  return found
}

test('every reader of what others write is in the table, is called by one that is, or has a reason not to be', () => {
  const tested = reached()
  const readers = [...texts].filter(([path, text]) => isReader(path, text)).map(([path]) => path)
  assert.deepEqual(readers.filter((path) => !tested.has(path) && !Object.hasOwn(untabled, path)).sort(), [])
  assert.deepEqual(
    Object.keys(untabled).filter((path) => tested.has(path) || !texts.has(path)),
    [],
  )
})
