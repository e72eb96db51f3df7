import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { searchParameter, searchParameterCodes } from '../../src/filter/search-parameter.ts'
import { filtered } from './naive/filtered.fixture.ts'
import { naiveMatches } from './naive/matching.fixture.ts'
import { poolContext } from './naive/pools.fixture.ts'
import { populationRecords } from './naive/records.fixture.ts'
import { witnesses } from './naive/witnesses.fixture.ts'

/** For each type the records, and for each of its parameters some questions. */
const sources = [...populationRecords(25)].map(([type, texts]) => {
  const resources = texts.map((text) => JSON.parse(text))
  const asked = searchParameterCodes(type).map((code) =>
    witnesses(resources, type, code, searchParameter(type, code)!)
      .map((question) => `${code}${question}`)
      .filter((question) => !question.includes('&')),
  )
  return {
    type,
    resources,
    lines: texts.map((text) => Buffer.from(text)),
    asked: asked.filter(({ length }) => length > 0),
  }
})

const pick = <Item>(items: readonly Item[], index: number): Item => items[index % items.length]!

/** A question of one parameter, as a list of two values where it has no modifier. */
function question(asked: readonly (readonly string[])[], one: number, other: number): string {
  const list = pick(asked, one)
  const first = pick(list, one)
  const name = `${first.split('=')[0]}=`
  const second = pick(list, other)
  return name.includes(':') || !second.startsWith(name) ? first : `${first},${second.slice(name.length)}`
}

it('queries are or, parameters are and, lists are or: as the naive evaluation finds', () => {
  const index = fc.nat({ max: 1_000_000 })
  const query = fc.array(index, { minLength: 1, maxLength: 3 })
  let found = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      fc.array(query, { minLength: 1, maxLength: 3 }),
      index,
      (source, picks, other) => {
        const { type, resources, lines, asked } = source
        const queries = picks.map((ones) => ones.map((one) => question(asked, one, other)))
        const meets = (resource: (typeof resources)[number]) =>
          queries.some((criteria) => criteria.every((one) => naiveMatches(resource, type, one, poolContext)))
        const expected = resources.flatMap((resource, at) => (meets(resource) ? [at] : []))
        assert.deepEqual(
          filtered(
            queries.map((criteria) => `${type}?${criteria.join('&')}`),
            lines,
          ),
          expected,
        )
        found += expected.length
      },
    ),
    { numRuns: 1500 },
  )
  assert.ok(found > 1000, `${found} records found`)
})
