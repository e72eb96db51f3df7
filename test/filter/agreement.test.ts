import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileFilter } from '../../src/filter/compile.ts'
import { parseTypeFilter } from '../../src/filter/parse/parse.ts'
import { scopeSwitches } from '../../src/filter/parse/switches.ts'
import { searchParameter } from '../../src/filter/search-parameter.ts'
import { type SearchedType, searchParameters } from '../../src/filter/search-parameters.generated.ts'
import { foundLines } from './naive/found-lines.fixture.ts'
import { naiveMatches } from './naive/matching.fixture.ts'
import { poolContext } from './naive/pools.fixture.ts'
import { questionsFor, samples } from './naive/samples.fixture.ts'

const { base, now } = poolContext

function filterOf(type: string, question: string) {
  const text = `${type}?${question}`
  const { queries, problems } = parseTypeFilter([{ text, at: 'Parameters' }], {
    types: [type],
    exported: [],
    switches: scopeSwitches,
  })
  assert.deepEqual(problems, [], text)
  return compileFilter(queries.get(type)!, { bases: [base], now })
}

describe('every parameter of the table agrees with the official expression and a naive comparison', () => {
  for (const type of Object.keys(searchParameters) as SearchedType[]) {
    // Parameters of every type are tried on one of the types.
    const resourceType = type === 'Resource' ? 'Observation' : type
    for (const code of Object.keys(searchParameters[type])) {
      it(`${type} ${code}, met and not met`, () => {
        const parameter = searchParameter(resourceType, code)!
        const resources = samples(resourceType, parameter)
        const lines = resources.map((resource) => Buffer.from(JSON.stringify(resource)))
        const counts = { met: 0, notMet: 0 }
        for (const question of questionsFor(parameter)) {
          const filter = filterOf(resourceType, `${code}${question}`)
          const found = new Set(foundLines(filter, lines))
          for (const [index, resource] of resources.entries()) {
            const met = naiveMatches(resource, resourceType, `${code}${question}`, { base, now })
            if (found.has(index) !== met) {
              assert.fail(`${resourceType}?${code}${question} on ${lines[index]}: naive says ${met}`)
            }
            counts[met ? 'met' : 'notMet']++
          }
        }
        assert.ok(counts.met > 0 && counts.notMet > 0, `not hit both ways: ${JSON.stringify(counts)}`)
      })
    }
  }
})
