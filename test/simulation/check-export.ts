import assert from 'node:assert/strict'
import type { Model } from './model.ts'
import type { SimulatedJob, SimulatedPart } from './simulation.ts'

const keyOf = (line: string): string => {
  const { resourceType, id } = JSON.parse(line) as { resourceType: string; id: string }
  return `${resourceType}/${id}`
}

/**
 * Compares what an export gave with what it must give: each record once, to the letter, in the right files and order, and nothing else.
 * @returns the lines by `Type/id`
 */
export function checkExport(model: Model, { request, time }: SimulatedJob, parts: readonly SimulatedPart[]) {
  const expected = model.expectedExport(request, time)
  const ownersOf = model.ownersAt(time)
  const lines = new Map<string, string>()
  for (const part of parts.filter(({ kind }) => kind === 'output')) {
    const keys = part.lines.map(keyOf)
    for (const [index, key] of keys.entries()) {
      assert.ok(key.startsWith(`${part.type}/`), `${key} stands in a file of ${part.type}`)
      assert.ok(!lines.has(key), `${key} is exported twice`)
      lines.set(key, part.lines[index]!)
    }
    assert.ok(
      expected.lines.size > 0 && keys.every((key) => expected.lines.has(key)),
      `nothing but the expected: ${keys}`,
    )
    checkOrder(ownersOf, part, keys)
  }
  assert.deepEqual(sorted(lines), sorted(expected.lines))
  checkErrors(parts, expected.unresolved)
  return lines
}

const sorted = (lines: ReadonlyMap<string, string>) => [...lines].sort(([a], [b]) => (a < b ? -1 : 1))

/** Owners in order, each one's records by id. What belongs to nobody or to several stands in the last partition, by id. */
function checkOrder(ownersOf: (key: string) => string[], part: SimulatedPart, keys: readonly string[]): void {
  const places = keys.map((key) => {
    const owners = ownersOf(key)
    assert.equal(
      owners.length === 1,
      part.partition === 'owners',
      `${key} of ${owners} in a partition of ${part.partition}`,
    )
    return `${owners.length === 1 ? owners[0] : ''} ${key.split('/')[1]}`
  })
  assert.deepEqual(places, [...places].sort())
}

function checkErrors(parts: readonly SimulatedPart[], unresolved: ReadonlySet<string>): void {
  const issues = parts
    .filter(({ kind }) => kind === 'error')
    .flatMap(({ lines }) => lines.flatMap((line) => (JSON.parse(line) as { issue: { diagnostics: string }[] }).issue))
  assert.deepEqual(issues.map(({ diagnostics }) => diagnostics).sort(), [...unresolved].sort())
}
