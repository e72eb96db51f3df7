import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { blanksOfManyLines, blanksOfOneLine, freeMembers, jsonSource, render, tokensOf } from './json-source.fixture.ts'
import { itemsOf, jsonDepthMax, membersOf, oneLine, repeatedKey } from './json-text.ts'

const blanks = fc.oneof(blanksOfOneLine, blanksOfManyLines)
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

describe('the members of an object', () => {
  it('are found with their keys and the text of their values', () => {
    fc.assert(
      fc.property(freeMembers(jsonSource, 6), blanks, (members, between) => {
        const text = render({ members }, between)
        const found = membersOf(text)!
        assert.deepEqual(
          found.map(({ key }) => key),
          members.map(({ key }) => JSON.parse(key)),
        )
        const values = found.map(({ valueStart, valueEnd }) => text.slice(valueStart, valueEnd))
        assert.deepEqual(
          values.map(tokensOf),
          members.map(({ value }) => tokensOf(render(value, ['']))),
        )
        for (const [index, { start }] of found.entries()) assert.ok(text.startsWith(members[index]!.key, start))
      }),
    )
  })

  it('are found after blanks, and in an object inside a text', () => {
    assert.equal(membersOf(' \n{"a":1}')?.[0]?.key, 'a')
    const text = '{"meta":{"tag":[]},"id":"1"}'
    assert.deepEqual(
      membersOf(text, text.indexOf('{', 1))!.map(({ key }) => key),
      ['tag'],
    )
  })

  it('may nest as deep as the bound, and not deeper', () => {
    assert.equal(membersOf(`{"a":${nested(jsonDepthMax)}}`)?.length, 1)
    assert.equal(membersOf(`{"a":${nested(jsonDepthMax + 1)}}`), undefined)
    assert.equal(membersOf(`{"a":{"b":${nested(jsonDepthMax)}}}`), undefined)
  })

  it('are told apart when a key stands twice', () => {
    assert.deepEqual(
      membersOf('{"a":1,"\\u0061":2}')!.map(({ key }) => key),
      ['a', 'a'],
    )
  })
})

describe('the items of an array', () => {
  it('are found with their text', () => {
    fc.assert(
      fc.property(fc.array(jsonSource, { maxLength: 6 }), blanks, (items, between) => {
        const text = render({ items }, between)
        const found = itemsOf(text, 0)!.map(([start, end]) => text.slice(start, end))
        assert.deepEqual(
          found.map(tokensOf),
          items.map((item) => tokensOf(render(item, ['']))),
        )
      }),
    )
  })

  it('may nest as deep as the bound, and not deeper', () => {
    assert.equal(itemsOf(`[${nested(jsonDepthMax)}]`, 0)?.length, 1)
    assert.equal(itemsOf(`[1,${nested(jsonDepthMax + 1)}]`, 0), undefined)
  })
})

describe('a key that stands twice', () => {
  it('is found at any depth, in whatever spelling', () => {
    assert.equal(repeatedKey('{"a":1,"b":2,"a":3}'), 'a')
    assert.equal(repeatedKey('[{"x":[{"a":1},{"b":{"a":1 , "\\u0061" : 2}}]}]'), 'a')
    assert.equal(repeatedKey('{"__proto__":1,"__proto__":2}'), '__proto__')
  })

  it('is not seen in strings, and not where objects differ', () => {
    for (const text of [
      '{"a":"a","b":["a","a",":"]}',
      '[{"a":1},{"a":1}]',
      '{"a":{"a":{"a":1}}}',
      '{"a":"{\\"b\\":1,\\"b\\":2}"}',
      '""',
    ]) {
      assert.equal(repeatedKey(text), undefined, text)
    }
  })

  it('is nowhere in what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.equal(repeatedKey(text), undefined)
      }),
    )
  })
})

describe('JSON on one line', () => {
  it('is the same to the letter when it is on one line already', () => {
    fc.assert(
      fc.property(jsonSource, blanksOfOneLine, (source, between) => {
        const text = render(source, between)
        assert.equal(oneLine(`  ${text}\t`), text)
      }),
    )
  })

  it('keeps every token when lines are joined', () => {
    fc.assert(
      fc.property(jsonSource, blanksOfManyLines, (source, between) => {
        const text = `\n${render(source, between)}\r\n`
        const line = oneLine(text)
        assert.ok(!/[\r\n]/.test(line))
        assert.deepEqual(tokensOf(line), tokensOf(text))
      }),
    )
  })

  it('works for strings as long as a record may be', () => {
    const long = `"${'x'.repeat(16_000_000)}"`
    assert.equal(oneLine(`{\n"a": ${long}\n}`), `{"a":${long}}`)
  })
})
