import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hashOfKey } from './json-cursor.ts'
import { blanksOfOneLine, freeMembers, jsonSource, render } from './json-source.fixture.ts'
import { KeyTable } from './key-table.ts'
import { NamedMembers } from './named-members.ts'

/** The values of the members that are found, by name; undefined when the text is to be parsed. */
function found(names: readonly string[], bytes: Buffer, start = 0, end = bytes.length): object | undefined {
  const members = new NamedMembers(names)
  if (!members.find(bytes, start, end)) return undefined
  const values = names.flatMap((name, index) => {
    const [from, to] = [members.starts[index]!, members.ends[index]!]
    return to === 0 ? [] : [[name, JSON.parse(bytes.toString('utf8', from, to))] as const]
  })
  return Object.fromEntries(values)
}

const names = ['a', 'b', 'active', 'text', 'absent']
const picked = (value: object): object =>
  Object.fromEntries(names.flatMap((name) => (Object.hasOwn(value, name) ? [[name, value[name as keyof object]]] : [])))

const text = fc
  .tuple(freeMembers(jsonSource, 8), blanksOfOneLine)
  .map(([members, blanks]) => render({ members }, blanks))

describe('named members', () => {
  it('are those of the parsed text, wherever it stands, or it is to be parsed: only where a key has an escape', () => {
    let read = 0
    fc.assert(
      fc.property(text, fc.string(), fc.string(), (json, before, after) => {
        const start = Buffer.byteLength(before)
        const bytes = Buffer.from(`${before}${json}${after}`)
        const values = found(names, bytes, start, start + Buffer.byteLength(json))
        if (values === undefined) return assert.match(json, /\\[^:]*"[ \t]*:/)
        assert.deepEqual(values, picked(JSON.parse(json)))
        read++
      }),
      { numRuns: 2000 },
    )
    assert.ok(read > 500, `${read} were read`)
  })

  it('of one name are the last, as for JSON.parse', () => {
    const json = '{"a":1,"b":{"a":2},"a":[3],"b":"4"}'
    assert.deepEqual(found(['a', 'b'], Buffer.from(json)), JSON.parse(json))
  })

  it('are not looked for in what is no object, has blanks around it, or a key with an escape', () => {
    for (const json of [
      '[{"a":1}]',
      '"a"',
      '1',
      '',
      ' {"a":1}',
      '{"a":1} ',
      '\ufeff{}',
      '{"\\u0061":1}',
      '{"b\\n":1}',
    ]) {
      assert.equal(found(['a'], Buffer.from(json)), undefined, json)
    }
    assert.deepEqual(found(['a'], Buffer.from('{}')), {})
    assert.deepEqual(found(['a'], Buffer.from('{\t }')), {})
  })

  it('are never read from what stands behind the end', () => {
    fc.assert(
      fc.property(text, fc.nat(), (json, cut) => {
        const bytes = Buffer.from(json)
        assert.equal(found(names, bytes, 0, cut % bytes.length), undefined)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a table of keys', () => {
  it('tells keys of one hash apart', () => {
    assert.equal(hashOfKey('Aa'), hashOfKey('BB'))
    const bytes = Buffer.from('AaBBAB')
    for (const keys of [['Aa'], ['BB'], ['Aa', 'BB'], ['x', 'BB', 'Aa'], []]) {
      const table = new KeyTable(keys)
      assert.equal(table.indexOf(hashOfKey('Aa'), bytes, 0, 2), keys.indexOf('Aa'))
      assert.equal(table.indexOf(hashOfKey('BB'), bytes, 2, 4), keys.indexOf('BB'))
      assert.equal(table.indexOf(hashOfKey('AB'), bytes, 4, 6), -1)
    }
  })

  it('finds each of many keys', () => {
    const keys = Array.from({ length: 300 }, (_, index) => `key${index}`)
    const table = new KeyTable(keys)
    for (const [index, key] of keys.entries()) {
      assert.equal(table.indexOf(hashOfKey(key), Buffer.from(key), 0, key.length), index)
    }
  })
})
