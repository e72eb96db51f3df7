import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemRows } from './problem-reference.ts'
import { problemKinds } from './problem-sources.ts'

const keyOf = ({ status, text }: { readonly status: string; readonly text: string }): string => `${status} | ${text}`

/** What the code makes, by status and text, with all of its codes and places. */
const made = Map.groupBy(problemKinds(), keyOf)
const documented = Map.groupBy(problemRows(), keyOf)

test('every problem that the code makes has one row in docs/reference/problems.md', () => {
  assert.ok(made.size > 80, `${made.size} kinds were found`)
  const missing = [...made.values()]
    .filter(([kind]) => documented.get(keyOf(kind!))?.length !== 1)
    .map(([kind]) => `| ${kind!.status} | ${kind!.codes.join(', ')} | ${kind!.text} | … |   made in ${kind!.at}`)
  assert.deepEqual(missing, [])
})

test('every row of docs/reference/problems.md is a problem that the code makes', () => {
  const vanished = [...documented.keys()].filter((key) => !made.has(key))
  assert.deepEqual(vanished, [])
})

test('the rows have the codes of the code', () => {
  for (const [key, kinds] of made) {
    // Where the code is another's choice, the row names what it can be, and the scenarios check it.
    if (kinds.some(({ codes }) => codes.length === 0)) continue
    const codes = new Set(kinds.flatMap((kind) => kind.codes))
    assert.deepEqual([...documented.get(key)![0]!.codes].sort(), [...codes].sort(), key)
  }
})
