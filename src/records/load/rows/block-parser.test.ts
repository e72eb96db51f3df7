import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SharedBuffers } from '../shared-buffers.ts'
import { type BlockPart, parseBlock } from './block-parser.ts'
import { hashedKeysMax } from './key-hashes.ts'

const bases = { own: [], source: ['https://source.example.org'] }
const parsing = { tenant: 't', bases, keepLastUpdated: true, lineBytesMax: 4_000_000 }
const now = Date.UTC(2026, 0, 1)
const buffers = new SharedBuffers()

const observation = (id: number | string, more: object = {}) =>
  JSON.stringify({ resourceType: 'Observation', id: `o${id}`, ...more })
const many = (count: number, more: (id: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, id) => observation(id, more(id)))

function parse(lines: readonly string[], bytes = Buffer.from(`${lines.join('\n')}\n`)): readonly BlockPart[] {
  const parts = parseBlock({ bytes, tooLong: false }, parsing, now, buffers.take(0))
  // Every line is in one of the parts.
  assert.equal(parts[0]?.start, 0)
  assert.ok(parts.every(({ end }, index) => end === (parts[index + 1]?.start ?? bytes.length)))
  return parts
}

/** How many records each part has as rows; 'text' for those that are left to others. */
const rowsOf = (lines: readonly string[]) => parse(lines).map(({ rows }) => rows?.records.count ?? 'text')

describe('the lines of a block', () => {
  it('are rows where there are enough of them', () => {
    assert.deepEqual(rowsOf(many(99)), ['text'])
    assert.deepEqual(rowsOf(many(100)), [100])
  })

  it('are as many rows as a batch has keys', () => {
    assert.deepEqual(rowsOf(many(hashedKeysMax)), [hashedKeysMax])
    assert.deepEqual(rowsOf(many(hashedKeysMax + 100)), [hashedKeysMax, 100])
  })

  it('count blank ones too', () => {
    const [part] = parse(['', ...many(100), ' \t', '\r'])
    assert.deepEqual([part!.rows!.records.count, part!.rows!.lines], [100, 103])
  })

  /** What is no row: it stands between 100 lines that are. */
  const odd: readonly (readonly [name: string, line: string])[] = [
    ['no JSON', '{'],
    ['no id', '{"resourceType":"Observation"}'],
    ['a Bundle', '{"resourceType":"Bundle","id":"b","type":"batch"}'],
    ['a reference by identifier', observation('x', { subject: { reference: 'Patient?identifier=a|b' } })],
    ['a reference under a base of the source', observation('x', { note: 'https://source.example.org/Patient/p' })],
    ['a long one', observation('x', { note: 'x'.repeat(1024 * 1024) })],
  ]
  for (const [name, line] of odd) {
    it(`are left to others: ${name}`, () => {
      assert.deepEqual(rowsOf([...many(100), line, ...many(100)]), [100, 'text', 100])
    })
  }

  it('are rows for each of several patients, as long as they are together no longer than a record may be', () => {
    const [patients, heavy] = [100, 1024 * 1024]
    const visit = (bytes: number) => {
      const participant = Array.from({ length: patients }, (_, id) => ({ actor: { reference: `Patient/p${id}` } }))
      const line = JSON.stringify({ resourceType: 'Appointment', id: 'v', participant, comment: '' })
      return line.replace('"comment":""', `"comment":"${'x'.repeat(bytes - line.length)}"`)
    }
    const most = Math.floor(heavy / patients)
    const [part] = parse([...many(100), visit(most)])
    const { records } = part!.rows!
    assert.deepEqual([records.count, (records.places.length - 1) / 3], [101, 200])
    assert.deepEqual(rowsOf([...many(100), visit(most + 1)]), [100, 'text'])
  })

  it('begin anew with a record that has come already', () => {
    assert.deepEqual(rowsOf([...many(150), ...many(120)]), [150, 120])
  })

  it('are Provenances or other records', () => {
    const provenances = many(100).map((line) => line.replace('Observation', 'Provenance'))
    assert.deepEqual(rowsOf([...many(100), ...provenances, ...many(100)]), [100, 100, 100])
  })

  it('are left to others where they change too often', () => {
    const changing = (changes: number) => Array.from({ length: changes }, () => [...many(100), '{}']).flat()
    assert.equal(rowsOf(changing(4)).filter((found) => found === 100).length, 4)
    assert.equal(rowsOf(changing(9)).filter((found) => found === 100).length, 4)
  })

  it('are left to others where they are not UTF-8', () => {
    const [part, ...more] = parse([], Buffer.concat([Buffer.from(`${many(200).join('\n')}\n`), Buffer.from([0xff])]))
    assert.deepEqual([part!.rows, more.length], [undefined, 0])
  })

  it('say how many times of the source cannot be kept', () => {
    const stated = (time: string) => ({ meta: { lastUpdated: time } })
    const lines = many(100, (id) => (id < 3 ? stated('2030-01-01T00:00:00Z') : stated('2020-01-01T00:00:00Z')))
    assert.equal(parse(lines)[0]!.rows!.timesReplaced, 3)
  })
})
