import assert from 'node:assert/strict'
import type { Model, ModelRequest } from './model.ts'
import { subsetOf } from './model-elements.ts'
import type { SimulatedJob, SimulatedPart } from './simulation.ts'

const keyOf = (line: string): string => {
  const { resourceType, id } = JSON.parse(line) as { resourceType: string; id: string }
  return `${resourceType}/${id}`
}

/**
 * Compares what an export gave with what it must give: each record once, to the letter, in the right files and order, and nothing else.
 * @returns the lines by `Type/id`
 */
export function checkExport(model: Model, job: SimulatedJob, parts: readonly SimulatedPart[]) {
  const { request, time } = job
  checkDeletions(model, job, parts)
  if (request.organizedBy !== undefined) return checkBlocks(model, job, parts)
  const expected = model.expectedExport(request, time)
  const ownersOf = model.ownersAt(time)
  const groupOf = model.groupAt(time)
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
    checkOrder({ ownersOf, groupOf }, part, keys, request)
  }
  checkLines(request, lines, expected.lines)
  checkErrors(parts, expected.unresolved)
  return lines
}

const sorted = (lines: ReadonlyMap<string, string>) => [...lines].sort(([a], [b]) => (a < b ? -1 : 1))

/** To the letter; with `_elements`, as a parser reads them. */
function checkLines(request: ModelRequest, lines: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>) {
  const { elements } = request
  if (elements === undefined) return assert.deepEqual(sorted(lines), sorted(expected))
  const parsed = sorted(lines).map(([key, line]) => [key, JSON.parse(line)])
  const subsets = sorted(expected).map(([key, line]) => [key, subsetOf(JSON.parse(line), elements)])
  assert.deepEqual(parsed, subsets)
}

/** Files of blocks: a header, then what belongs to it, patients in order. */
function checkBlocks(model: Model, { request, time }: SimulatedJob, parts: readonly SimulatedPart[]) {
  const expected = model.expectedBlocks(request, time)
  const lines = new Map<string, string>()
  const blocks = new Map<string, string[]>()
  for (const part of parts.filter(({ kind }) => kind === 'output')) {
    assert.equal(part.partition, 'owners')
    const owners: string[] = []
    for (const line of part.lines) {
      const owner =
        /^{"resourceType":"Parameters","parameter":\[{"name":"header","valueReference":{"reference":"Patient\/(.*)"}}]}$/.exec(
          line,
        )?.[1]
      if (owner === undefined) {
        blocks.get(owners.at(-1)!)!.push(keyOf(line))
        lines.set(keyOf(line), line)
      } else {
        assert.ok(!blocks.has(owner), `${owner} has two blocks`)
        owners.push(owner)
        blocks.set(owner, [])
      }
    }
    assert.deepEqual(owners, [...owners].sort())
  }
  assert.deepEqual(new Map([...blocks].sort()), new Map([...expected.blocks].sort()))
  checkLines(request, lines, expected.lines)
  checkErrors(parts, expected.unresolved)
  return lines
}

/** Each deletion once, and none that is not one. */
function checkDeletions(model: Model, job: SimulatedJob, parts: readonly SimulatedPart[]): void {
  const { certain, possible } = model.expectedDeletions(job.request, job.time)
  const told = deletedBy(parts)
  assert.equal(new Set(told).size, told.length, `each once: ${told}`)
  assert.deepEqual(
    [...certain].filter((key) => !told.includes(key)),
    [],
    'a deletion is not told',
  )
  assert.deepEqual(
    told.filter((key) => !possible.has(key)),
    [],
    'no such deletion',
  )
}

/** The keys that an export says were deleted. */
export const deletedBy = (parts: readonly SimulatedPart[]): string[] =>
  parts
    .filter(({ kind }) => kind === 'deleted')
    .flatMap(({ lines }) =>
      lines.flatMap((line) => (JSON.parse(line) as { entry: { request: { url: string } }[] }).entry),
    )
    .map(({ request }) => request.url)

/** Owners in order, each one's records by what they have in common, then by id, Provenances that are the newest of a target first. What belongs to nobody (but in a system export) or to several stands in the last partition. */
function checkOrder(
  { ownersOf, groupOf }: { ownersOf: (key: string) => string[]; groupOf: (key: string, owner: string) => string },
  part: SimulatedPart,
  keys: readonly string[],
  { reach }: ModelRequest,
): void {
  const places = keys.map((key) => {
    const owners = ownersOf(key)
    assert.equal(
      owners.length === 1 || (reach === 'system' && owners.length === 0),
      part.partition === 'owners',
      `${key} of ${owners} in a partition of ${part.partition}`,
    )
    const owner = owners.length === 1 ? owners[0]! : ''
    const group = part.partition === 'owners' ? groupOf(key, owner) : ''
    return `${owner} ${group} ${key.split('/')[1]}`
  })
  assert.deepEqual(places, [...places].sort())
}

function checkErrors(parts: readonly SimulatedPart[], unresolved: ReadonlySet<string>): void {
  const issues = parts
    .filter(({ kind }) => kind === 'error')
    .flatMap(({ lines }) => lines.flatMap((line) => (JSON.parse(line) as { issue: { diagnostics: string }[] }).issue))
  assert.deepEqual(issues.map(({ diagnostics }) => diagnostics).sort(), [...unresolved].sort())
}
