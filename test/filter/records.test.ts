import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { searchParameter, searchParameterCodes } from '../../src/filter/search-parameter.ts'
import { filtered } from './naive/filtered.fixture.ts'
import { naiveMatches } from './naive/matching.fixture.ts'
import { poolContext } from './naive/pools.fixture.ts'
import { dataSet, dataSets, populationRecords, type Records } from './naive/records.fixture.ts'
import { witnesses } from './naive/witnesses.fixture.ts'

const linesOfType = 25

function agrees(records: Records): { questions: number; found: number } {
  const totals = { questions: 0, found: 0 }
  for (const [type, texts] of records) {
    const lines = texts.map((text) => Buffer.from(text))
    const resources = texts.map((text) => JSON.parse(text))
    for (const code of searchParameterCodes(type)) {
      for (const asked of witnesses(resources, type, code, searchParameter(type, code)!)) {
        const question = `${code}${asked}`
        const expected = resources.flatMap((resource, index) =>
          naiveMatches(resource, type, question, poolContext) ? [index] : [],
        )
        assert.deepEqual(filtered([`${type}?${question}`], lines), expected, `${type}?${question}`)
        totals.questions++
        totals.found += expected.length
      }
    }
  }
  return totals
}

describe('a filter finds the records that the naive evaluation finds', () => {
  it('in a generated population', (t) => {
    const { questions, found } = agrees(populationRecords(linesOfType))
    t.diagnostic(`${questions} queries, ${found} records found`)
    assert.ok(questions > 500 && found > questions)
  })

  if (dataSets.length === 0) it('in the test data', { skip: 'NOT TESTED: ../shared/data is not beside the project' })
  for (const name of dataSets) {
    it(`in ${name}`, (t) => {
      const { questions, found } = agrees(dataSet(name, linesOfType))
      t.diagnostic(`${questions} queries, ${found} records found`)
      assert.ok(questions > 100 && found > questions)
    })
  }
})
