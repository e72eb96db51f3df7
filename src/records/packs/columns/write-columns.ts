import { constants, deflateRawSync } from 'node:zlib'
import type { ColumnEntry } from './column-entry.ts'
import { VarintWriter } from './varints.ts'

/** How what follows the first byte is written. */
export const columnForms = { plain: 0, deflated: 1 } as const

/** What is shorter is not deflated: the call would cost more than the bytes. */
const deflatedBytesMin = 512

/** Numbers distinct texts in the order in which they are met. */
export class Numbered {
  readonly #numbers = new Map<string, number>()

  of(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    this.#numbers.set(text, this.#numbers.size)
    return this.#numbers.size - 1
  }

  get texts(): string[] {
    return [...this.#numbers.keys()]
  }
}

/** The distinct types of some targets, `Type,Type`; `-` for none. */
export const typesOf = (targets: readonly string[]): string =>
  [...new Set(targets.map((target) => target.slice(0, target.indexOf('/'))))].sort().join(',') || '-'

/**
 * The columns of a pack: of each entry, lines in their order and then those without, its length, time and list of references, and of a
 * Provenance its place in the order of ids, when it was recorded and its targets. Column after column, for equal ones to stand together; distinct lists stand once.
 * @param refs numbers of references in `Pack.refs`, which they are all in
 * @param typeSets numbers of sets of types in `Pack.targets`; undefined for other types than Provenance
 */
export function writeColumns(entries: readonly ColumnEntry[], refs: Numbered, typeSets: Numbered | undefined): Buffer {
  const out = new VarintWriter()
  out.add(entries.length)
  for (const { length } of entries) out.add(length)
  writeSteps(
    out,
    entries.map(({ updated }) => updated),
  )
  const lists = new Numbered()
  for (const entry of entries) out.add(lists.of(entry.refs))
  out.add(lists.texts.length)
  for (const list of lists.texts) writeList(out, list, refs)
  if (typeSets) writeTargets(out, entries, typeSets)
  for (const { id } of entries.filter(({ length }) => length === 0)) out.addText(id)
  return packedBytes(out.bytes)
}

/** Numbers by what each is more than the one before it. */
function writeSteps(out: VarintWriter, values: readonly number[]): void {
  let before = 0
  for (const value of values) {
    out.addSigned(value - before)
    before = value
  }
}

function writeList(out: VarintWriter, list: string, refs: Numbered): void {
  const names = list === '' ? [] : list.split(' ')
  out.add(names.length)
  for (const name of names) out.add(refs.of(name))
}

function writeTargets(out: VarintWriter, entries: readonly ColumnEntry[], typeSets: Numbered): void {
  writeSteps(
    out,
    entries.map(({ rank }) => rank),
  )
  for (const { recorded } of entries) out.add(Number.isFinite(recorded) ? 1 : 0)
  writeSteps(
    out,
    entries.map(({ recorded }) => recorded).filter((recorded) => Number.isFinite(recorded)),
  )
  for (const { targets } of entries) out.add(typeSets.of(typesOf(targets)))
  const sets = new Numbered()
  for (const { targets } of entries) out.add(sets.of(targets.join(' ')))
  out.addText(sets.texts.join('\n'))
}

function packedBytes(plain: Buffer): Buffer {
  if (plain.length < deflatedBytesMin) return Buffer.concat([Buffer.from([columnForms.plain]), plain])
  const deflated = deflateRawSync(plain, {
    level: constants.Z_BEST_SPEED,
    chunkSize: Math.max(1024, plain.length >> 1),
  })
  return Buffer.concat([Buffer.from([columnForms.deflated]), deflated])
}
