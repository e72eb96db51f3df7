import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { jsonFault, jsonFaultAt } from './json-fault.ts'

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('where a text ceases to be JSON', () => {
  for (const [text, at] of [
    ['', 0],
    ['{', 1],
    ['{"a"', 4],
    ['{"a":1,}', 7],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['{"a":Musterfrau}', 5],
    ['{"a":"x\ny"}', 7],
    ['{"a":"\\q"}', 6],
    ['{} {}', 3],
    ['01', 1],
    [']', 0],
    ['{"a":1]', 6],
  ] as const) {
    it(`is ${at} in ${JSON.stringify(text)}`, () => assert.equal(jsonFaultAt(text), at))
  }

  it('is nowhere in JSON, and somewhere in everything else, whatever is missing, another, or too much', () => {
    const noise = fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ':', ',', ' ', '0', '-', '.', 'e', '\t', '\n', 'é')
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.nat(2), noise, (source, place, length, other) => {
        const at = place % (source.length + 1)
        const text = `${source.slice(0, at)}${other}${source.slice(at + length)}`
        assert.equal(jsonFaultAt(text) === undefined, isJson(text), text)
      }),
      { numRuns: 3_000 },
    )
  })

  it('is told by line and character, with no piece of the text', () => {
    assert.equal(jsonFault('{"family":Musterfrau}'), 'is wrong at character 11')
    assert.equal(jsonFault('{\n "family":Musterfrau}'), 'is wrong at line 2, character 11')
    assert.equal(jsonFault('{"family":"Musterfrau'), 'ends too early, at character 22')
  })
})
