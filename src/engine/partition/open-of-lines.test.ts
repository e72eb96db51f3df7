import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOpen } from '../../fhir/open-reference.ts'
import { OpenOfLines, packsInVainMax } from './open-of-lines.ts'

const base = 'https://here.example/r4/clinic'

/** Notes what it is told, and counts the lines that are read. */
function noting() {
  const noted = new Set<string>()
  const open = new OpenOfLines(
    {
      openToNote: (refs) =>
        refs
          .toString()
          .split(' ')
          .filter((entry) => isOpen(entry) && !noted.has(entry)),
      noteOpen: (reference) => noted.add(reference),
    },
    base,
  )
  return { noted, note: (refs: string, lines: Buffer[]) => open.note({ refs: Buffer.from(refs) }, lines) }
}

const line = (...references: string[]): Buffer =>
  Buffer.from(`${JSON.stringify({ performer: references.map((reference) => ({ reference })) })}\n`)

const unreadable = Buffer.from('no JSON\n')
const conditional = 'Practitioner?identifier=s|v'

test('of the marks of a pack those are noted that passing lines have, and no others', () => {
  const { noted, note } = noting()
  // Written with the other server as a base of its own, the record refers to nobody else.
  note('?/Practitioner ?/Location', [line('https://elsewhere.example/Organization/o'), line(conditional)])
  assert.deepEqual([...noted], ['?/Practitioner'])
})

test('lines that stand side by side are read one by one', () => {
  const { noted, note } = noting()
  note('?/Practitioner ?/Location', [
    Buffer.concat([line('Patient/p'), line(conditional)]),
    Buffer.concat([line('Location?identifier=s|v'), unreadable]),
  ])
  assert.deepEqual([...noted], ['?/Practitioner', '?/Location'])
})

test('no line is read once every mark of its pack is known, or without one', () => {
  const { noted, note } = noting()
  note('?/Practitioner', [line(conditional), unreadable])
  note('?/Practitioner', [unreadable])
  note('Practitioner/a', [unreadable])
  assert.deepEqual([...noted], ['?/Practitioner'])
  assert.throws(() => note('?/Location', [unreadable]), SyntaxError)
})

test('a mark that no passing line has is looked for in so many packs only, others still are', () => {
  const { noted, note } = noting()
  for (let pack = 0; pack < packsInVainMax; pack++) {
    note('?/Practitioner', [])
    note('?/Practitioner', [line('Patient/p')])
  }
  note('?/Practitioner', [unreadable])
  note('?/Practitioner ?/Location', [line('Location?identifier=s|v', conditional)])
  assert.deepEqual([...noted], ['?/Location'])
})

test('a mark that is met in the last of these packs is noted', () => {
  const { noted, note } = noting()
  for (let pack = 1; pack < packsInVainMax; pack++) note('?/Practitioner', [line('Patient/p')])
  note('?/Practitioner', [line(conditional)])
  assert.deepEqual([...noted], ['?/Practitioner'])
})
