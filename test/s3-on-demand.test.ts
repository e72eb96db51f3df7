import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'

const root = fileURLToPath(new URL('../src', import.meta.url))

/** Where the program and its threads begin. */
const beginnings = [
  'main.ts',
  'engine/engine-thread.ts',
  'http/request-threads/request-thread.ts',
  'records/load/load-thread.ts',
]

/** What Node loads with a file: all but `import type` and `import()`. */
function loadedBy(path: string): string[] {
  const { program } = parseSync(path, readFileSync(path, 'utf8'))
  return program.body.flatMap((statement) => {
    if (statement.type === 'ImportDeclaration') return statement.importKind === 'type' ? [] : [statement.source.value]
    if (statement.type === 'ExportAllDeclaration') return [statement.source.value]
    return statement.type === 'ExportNamedDeclaration' && statement.source ? [statement.source.value] : []
  })
}

function reachedFrom(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const reached = new Map<string, readonly string[]>()
  const open = paths.map((path) => join(root, path))
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue
    const loaded = loadedBy(path)
    reached.set(path, loaded)
    for (const target of loaded) if (target.startsWith('.')) open.push(join(dirname(path), target))
  }
  return reached
}

test('nothing of the SDK of S3 is loaded before files are kept there: every start would take longer', () => {
  const reached = reachedFrom(beginnings)
  assert.ok(reached.size > 200, `${reached.size} files were found`)
  const loading = [...reached].filter(([, loaded]) => loaded.some((target) => /^@(aws-sdk|smithy)\//.test(target)))
  assert.deepEqual(
    loading.map(([path]) => relative(root, path)),
    [],
  )
})
