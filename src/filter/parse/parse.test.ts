import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { typeFilterCharsMax } from '../limits.ts'
import { at, parse } from './parse.fixture.ts'
import { hl7Switches, millenniumSwitches } from './switches.ts'

const C = ['Condition']

describe('a problem of _typeFilter', () => {
  it('names the query, the parameter and what is allowed, and where it stands', () => {
    const { problems } = parse(['Condition?foo=bar'], C, millenniumSwitches)
    assert.deepEqual(problems, [
      {
        status: 422,
        severity: 'error',
        code: 'not-supported',
        text: '_typeFilter, "foo" of Condition: the parameter is not supported for Condition.',
        diagnostics: 'Query: "Condition?foo=bar". Allowed: category, clinical-status.',
        expression: [at],
      },
    ])
  })

  it('names the excluded parameter behind a chain and the chain behind another', () => {
    const text = (query: string) => parse([query], C, hl7Switches).problems[0]!.text
    const excluded = parse(['Condition?patient.name=x'], C, millenniumSwitches).problems[0]!.text
    assert.match(excluded, /"patient\.name" of Condition: patient may not be used in a filter\.$/)
    assert.match(text('Condition?asserter.name=x'), /chained parameters are not supported\.$/)
    assert.match(text('Condition?asserter:Practitioner.name=x'), /chained parameters are not supported\.$/)
    assert.match(
      text('Condition?_has:Provenance:target:recorded=2020'),
      /_has \(reverse chaining\) is not supported\.$/,
    )
  })

  it('is told for each query, however many there are', () => {
    assert.equal(parse([Array(150).fill('Foo?x=y').join(',')], C, hl7Switches).problems.length, 150)
  })

  it('bounds the text of all values together, and reads none behind the bound', () => {
    const first = 'Condition?code=a'
    const filling = (chars: number) => `Condition?code=${'b'.repeat(chars - 'Condition?code='.length)}`
    const room = typeFilterCharsMax - first.length
    assert.equal(parse([first, filling(room)], C, hl7Switches).problems.length, 0)
    const { problems } = parse([first, filling(room + 1), 'Foo?x=y'], C, hl7Switches)
    assert.deepEqual(
      problems.map(({ status, code }) => [status, code]),
      [[422, 'too-long']],
    )
  })

  it('names the value', () => {
    const { problems } = parse(['CarePlan?category=assess-plan,other'], ['CarePlan'], millenniumSwitches)
    assert.equal(problems[0]!.text, '_typeFilter, "category" of CarePlan: "other" is not a supported code.')
  })

  it('says why R4 features are refused', () => {
    const { problems } = parse(['Condition?code:in=x'], C, hl7Switches)
    assert.match(problems[0]!.text, /the modifier ":in" is not supported, it needs a terminology service\.$/)
  })

  it('leaves no queries behind, so that nothing is exported by half a filter', () => {
    const { queries } = parse(
      ['Condition?category=a&foo=bar,Goal?target-date=2020'],
      ['Condition', 'Goal'],
      millenniumSwitches,
    )
    assert.equal(queries.size, 0)
  })
})
