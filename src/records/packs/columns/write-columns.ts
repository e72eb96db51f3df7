import { constants, deflateRawSync } from 'node:zlib'
import { typesOf } from '../sections/section-key.ts'
import type { ColumnEntry, ColumnSection } from './column-entry.ts'
import { VarintWriter } from './varints.ts'

/** How what follows the first byte is written. */
export const columnForms = { plain: 0, deflated: 1 } as const

/** What is shorter is not deflated: each inflating begins with some 40 µs, whatever its size. */
const deflatedBytesMin = 8 * 1024

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

/**
 * The columns of a pack: of each entry, lines in their order and then those without, its length, time and list of references, and of a
 * Provenance the types of its targets, its place in the order of ids, when it was recorded, and its targets. Each column has its size before it,
 * so that those are passed over that nobody asks for; distinct lists stand once.
 * @param sections of the lines, none where these are one of which nothing is told
 * @param refs numbers of references in `Pack.refs`, which they are all in
 * @param typeSets numbers of sets of types in `Pack.targets`; undefined for other types than Provenance
 */
export function writeColumns(
  entries: readonly ColumnEntry[],
  sections: readonly ColumnSection[],
  refs: Numbered,
  typeSets: Numbered | undefined,
): Buffer {
  const out = new VarintWriter()
  out.add(entries.length)
  const column = (write: (to: VarintWriter) => void) => {
    const to = new VarintWriter()
    write(to)
    out.addBytes(to.bytes)
  }
  column((to) => writeEach(to, entries, ({ length }) => length))
  column((to) => writeSteps(to, entries, ({ updated }) => updated))
  column((to) => writeLists(to, entries, refs))
  column((to) => writeTexts(to, entries))
  column((to) => writeSections(to, sections))
  if (typeSets === undefined) return packedBytes(out.bytes)
  column((to) => writeEach(to, entries, ({ targets }) => typeSets.of(typesOf(targets))))
  column((to) => writeSteps(to, entries, ({ rank }) => rank))
  column((to) => writeRecorded(to, entries))
  column((to) => writeTargets(to, entries))
  return packedBytes(out.bytes)
}

function writeEach<Item>(to: VarintWriter, items: readonly Item[], numberOf: (item: Item) => number): void {
  for (const item of items) to.add(numberOf(item))
}

/** Numbers by what each is more than the one before it. */
function writeSteps<Item>(to: VarintWriter, items: readonly Item[], numberOf: (item: Item) => number): void {
  let before = 0
  for (const item of items) {
    const value = numberOf(item)
    to.addSigned(value - before)
    before = value
  }
}

function writeLists(to: VarintWriter, entries: readonly ColumnEntry[], refs: Numbered): void {
  const lists = new Numbered()
  writeEach(to, entries, (entry) => lists.of(entry.refs))
  to.add(lists.texts.length)
  for (const list of lists.texts) {
    const names = list === '' ? [] : list.split(' ')
    to.add(names.length)
    writeEach(to, names, (name) => refs.of(name))
  }
}

/** Ids of those that have no line. */
function writeTexts(to: VarintWriter, entries: readonly ColumnEntry[]): void {
  for (const { id, length } of entries) if (length === 0) to.addBytes(Buffer.from(id))
}

function writeSections(to: VarintWriter, sections: readonly ColumnSection[]): void {
  if (sections.length === 1 && sections[0]!.told === undefined) return
  for (const { told, lines } of sections) {
    to.add(lines.records)
    to.add(lines.blocks.length)
    to.add(lines.crc)
    to.add(told === undefined ? 0 : 1)
    if (told !== undefined) to.addBytes(Buffer.from(told))
  }
}

function writeRecorded(to: VarintWriter, entries: readonly ColumnEntry[]): void {
  writeEach(to, entries, ({ recorded }) => (Number.isFinite(recorded) ? 1 : 0))
  const known = entries.filter(({ recorded }) => Number.isFinite(recorded))
  writeSteps(to, known, ({ recorded }) => recorded)
}

function writeTargets(to: VarintWriter, entries: readonly ColumnEntry[]): void {
  const sets = new Numbered()
  writeEach(to, entries, ({ targets }) => sets.of(targets.join(' ')))
  const { texts } = sets
  to.add(texts.length)
  let end = 0
  writeSteps(to, texts, (text) => (end += text.length))
  to.addBytes(Buffer.from(texts.join(''), 'latin1'))
}

function packedBytes(plain: Buffer): Buffer {
  if (plain.length < deflatedBytesMin) return Buffer.concat([Buffer.from([columnForms.plain]), plain])
  const deflated = deflateRawSync(plain, {
    level: constants.Z_BEST_SPEED,
    chunkSize: Math.max(1024, plain.length >> 1),
  })
  return Buffer.concat([Buffer.from([columnForms.deflated]), deflated])
}
