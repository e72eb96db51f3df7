import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { poolContext } from '../../test/filter/naive/pools.fixture.ts'
import { questionsFor, samples } from '../../test/filter/naive/samples.fixture.ts'
import { compileFilter, type Filter } from './compile.ts'
import { parseTypeFilter } from './parse/parse.ts'
import { hl7Switches } from './parse/switches.ts'
import { searchParameter, searchParameterCodes } from './search-parameter.ts'

const { base, now } = poolContext

function filterOf(query: string): Filter {
  const type = query.slice(0, query.indexOf('?'))
  const { queries, problems } = parseTypeFilter([{ text: query, at: 'x' }], { types: [type], switches: hl7Switches })
  assert.deepEqual(problems, [], query)
  return compileFilter(queries.get(type)!, { bases: [base], now })
}

/** JSON that writes characters in any way it may: raw, `\uXXXX`, `\/`, `\n`. */
function writeJson(value: unknown, dice: () => number): string {
  if (Array.isArray(value)) return `[${value.map((item) => writeJson(item, dice)).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([name, member]) => `${writeText(name, dice)}:${writeJson(member, dice)}`)
      .join(' , ')}}`
  }
  return typeof value === 'string' ? writeText(value, dice) : JSON.stringify(value)
}

function writeText(text: string, dice: () => number): string {
  const units = Array.from({ length: text.length }, (_, index) => text[index]!)
  const coded = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  const whole = dice() < 0.6
  const written = units.map((unit) => {
    if (unit === '/' && dice() < 0.5) return '\\/'
    if (!whole && dice() < 0.2) return coded(unit)
    return unit >= '\ud800' && unit <= '\udfff' ? unit : JSON.stringify(unit).slice(1, -1)
  })
  // A surrogate without its other half cannot stand in UTF-8.
  const result = written.join('')
  return `"${result.isWellFormed() ? result : JSON.stringify(text).slice(1, -1)}"`
}

const dice = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }))
const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
  fc.string({
    unit: fc.constantFrom('a', '"', '\\', '/', 'u', '\u0000', '\n', '\ufffd', '\ud83e', 'é'),
    minLength: 1,
    maxLength: 5,
  }),
)
const asked = (value: string): string => encodeURIComponent(value.replace(/[\\,|$]/g, '\\$&'))

/** Resources that have the text where the queries look for it. */
const places: readonly [query: (value: string) => string, resource: (value: string) => object][] = [
  [(value) => `Observation?code=${value}`, (value) => ({ code: { coding: [{ code: value }] } })],
  [(value) => `Observation?code=${value}|`, (value) => ({ code: { coding: [{ system: value }] } })],
  [
    (value) => `Observation?identifier=http://a.example|${value}`,
    (value) => ({ identifier: [{ system: 'http://a.example', value }] }),
  ],
  [(value) => `Observation?value-string:exact=${value}`, (value) => ({ valueString: value })],
  [(value) => `Observation?value-quantity=1||${value}`, (value) => ({ valueQuantity: { value: 1, unit: value } })],
  [(value) => `Observation?performer:identifier=${value}`, (value) => ({ performer: [{ identifier: { value } }] })],
  [(value) => `CarePlan?instantiates-uri=${value}`, (value) => ({ instantiatesUri: [value] })],
  [
    (value) => `CarePlan?instantiates-uri:below=http://${value}`,
    (value) => ({ instantiatesUri: [`http://${value}x`] }),
  ],
]

describe('the look at the bytes', () => {
  it('never throws out a line that the predicate accepts, whatever its text and its escapes', () => {
    let met = 0
    fc.assert(
      fc.property(text, fc.constantFrom(...places), dice, (value, [query, resource], stream) => {
        fc.pre(value.isWellFormed() && value === value.trim() && value !== '')
        const { matches, mayMatch } = filterOf(query(asked(value)))
        const line = writeJson({ resourceType: 'Observation', ...resource(value) }, () => stream.next().value)
        if (!matches(JSON.parse(line))) return
        met++
        assert.ok(mayMatch(Buffer.from(line)), line)
      }),
      { numRuns: 2000 },
    )
    assert.ok(met > 500, `${met} lines met`)
  })

  it('never throws out a line that the predicate accepts, for any parameter', () => {
    const types = ['Observation', 'Condition', 'CarePlan', 'DocumentReference', 'MedicationRequest', 'Patient']
    const questions = types.flatMap((type) => searchParameterCodes(type).map((code) => [type, code] as const))
    fc.assert(
      fc.property(fc.constantFrom(...questions), fc.nat(), fc.nat(), dice, ([type, code], first, second, stream) => {
        const parameter = searchParameter(type, code)!
        const list = questionsFor(parameter)
        const { matches, mayMatch } = filterOf(`${type}?${code}${list[first % list.length]}`)
        const resources = samples(type, parameter)
        for (let index = 0; index < 5; index++) {
          const line = writeJson(resources[(second + index) % resources.length], () => stream.next().value)
          if (matches(JSON.parse(line))) assert.ok(mayMatch(Buffer.from(line)), line)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('throws out the lines without the code, and all that say it is elsewhere', () => {
    const { mayMatch } = filterOf('Observation?code=http://loinc.org|8480-6,8462-4&status=final')
    const line = (code: string, status: string) =>
      Buffer.from(`{"code":{"coding":[{"code":"${code}"}]},"status":"${status}"}`)
    assert.equal(mayMatch(line('8480-6', 'final')), true)
    assert.equal(mayMatch(line('8462-4', 'final')), true)
    assert.equal(mayMatch(line('8480-6', 'amended')), false)
    assert.equal(mayMatch(line('8480-60', 'final')), false)
    assert.equal(mayMatch(line('8867-4', 'final')), false)
  })

  it('throws out the lines without the element when no code is asked for', () => {
    const { mayMatch } = filterOf('Condition?abatement-date=ge2020')
    assert.equal(mayMatch(Buffer.from('{"abatementDateTime":"2019"}')), true)
    assert.equal(mayMatch(Buffer.from('{"onsetDateTime":"2021"}')), false)
  })

  it('decides nothing about what need not be there', () => {
    for (const query of ['code:not=1', 'code:missing=true']) {
      assert.equal(filterOf(`Condition?${query}`).mayMatch(Buffer.from('{}')), true, query)
    }
  })
})

describe('a filter', () => {
  it('throws at no record, however broken', () => {
    const broken = fc.jsonValue({ maxDepth: 4 })
    const filters = ['Observation', 'Patient', 'CarePlan'].flatMap((type) =>
      searchParameterCodes(type).flatMap((code) => {
        const parameter = searchParameter(type, code)!
        return questionsFor(parameter)
          .slice(0, 3)
          .map((question) => [filterOf(`${type}?${code}${question}`), parameter] as const)
      }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...filters), broken, broken, ([{ matches }, parameter], value, other) => {
        const { steps } = parameter.paths[0]!
        const placed = steps.reduceRight<unknown>(
          (inner, step) => (typeof step === 'string' ? { [step]: inner, other } : [inner, { [step.where]: step.is }]),
          value,
        )
        assert.equal(typeof matches(placed), 'boolean')
      }),
      { numRuns: 2000 },
    )
  })
})
