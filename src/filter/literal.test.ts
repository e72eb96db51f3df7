import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { questionsFor, samples } from '../../test/filter/naive/samples.fixture.ts'
import { filterOf } from './compiled-filter.fixture.ts'
import type { LineSearch } from './literal.ts'
import { searchParameter, searchParameterCodes } from './search-parameter.ts'
import { dice, writeJson } from './written-json.fixture.ts'

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

const mayPass = (next: LineSearch, line: string): boolean => next(Buffer.from(line), 0) === 0

describe('the look at the bytes', () => {
  it('never throws out a line that the predicate accepts, whatever its text and its escapes', () => {
    let met = 0
    fc.assert(
      fc.property(text, fc.constantFrom(...places), dice, (value, [query, resource], stream) => {
        fc.pre(value.isWellFormed() && value === value.trim() && value !== '')
        const { matches, next } = filterOf(query(asked(value)))
        const line = writeJson({ resourceType: 'Observation', ...resource(value) }, () => stream.next().value)
        if (!matches(JSON.parse(line))) return
        met++
        assert.ok(mayPass(next, line), line)
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
        const { matches, next } = filterOf(`${type}?${code}${list[first % list.length]}`)
        const resources = samples(type, parameter)
        for (let index = 0; index < 5; index++) {
          const line = writeJson(resources[(second + index) % resources.length], () => stream.next().value)
          if (matches(JSON.parse(line))) assert.ok(mayPass(next, line), line)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('throws out the lines without the code, and all that say it is elsewhere', () => {
    const { next } = filterOf('Observation?code=http://loinc.org|8480-6,8462-4&status=final')
    const line = (code: string, status: string) => `{"code":{"coding":[{"code":"${code}"}]},"status":"${status}"}`
    assert.equal(mayPass(next, line('8480-6', 'final')), true)
    assert.equal(mayPass(next, line('8462-4', 'final')), true)
    assert.equal(mayPass(next, line('8480-6', 'amended')), false)
    assert.equal(mayPass(next, line('8480-60', 'final')), false)
    assert.equal(mayPass(next, line('18480-6', 'final')), false)
    assert.equal(mayPass(next, line('8867-4', 'final')), false)
  })

  it('throws out the lines without the element when no code is asked for', () => {
    const { next } = filterOf('Condition?abatement-date=ge2020')
    assert.equal(mayPass(next, '{"abatementDateTime":"2019"}'), true)
    assert.equal(mayPass(next, '{"onsetDateTime":"2021"}'), false)
  })

  it('decides nothing about what need not be there', () => {
    for (const query of ['code:not=1', 'code:missing=true']) {
      assert.equal(mayPass(filterOf(`Condition?${query}`).next, '{}'), true, query)
    }
  })
})

describe('a search through many lines', () => {
  const lines = fc.array(fc.constantFrom('1-1', '2-2', '12-2', '3-3', '\\u0031-1', 'none'), { maxLength: 12 })
  const filters = [
    'code=1-1',
    'code=1-1,2-2',
    'code=1-1&status=2-2',
    'code=1-1,3-3&status=2-2,3-3&_tag=1-1',
    'code:not=1-1',
    'code=1-1&status:missing=true',
  ].map((query) => filterOf(`Observation?${query}`).next)
  filters.push(
    filterOf('Observation?code=1-1,Observation?status=2-2').next,
    filterOf('Observation?code=1-1&_tag=2-2,Observation?status:not=2-2').next,
  )

  it('finds the lines that it finds one by one, from any line on', () => {
    const line = fc.record({ code: lines, status: lines })
    fc.assert(
      fc.property(fc.constantFrom(...filters), fc.array(line, { maxLength: 12 }), (next, records) => {
        const texts = records.map(
          (record) => `{"code":"${record.code.join('"')}","status":"${record.status.join('"')}"}\n`,
        )
        const all = Buffer.from(texts.join(''))
        const starts = texts.map((_, index) => texts.slice(0, index).join('').length)
        const expected = starts.filter((_, index) => mayPass(next, texts[index]!))
        const found: number[] = []
        for (let at = next(all, 0); at < all.length; at = next(all, all.indexOf('\n', at) + 1)) found.push(at)
        assert.deepEqual(found, expected)
        for (const start of starts) {
          assert.equal(next(all, start), expected.find((at) => at >= start) ?? all.length)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('goes once through the bytes for each literal, however many lines are found', (t) => {
    const { next } = filterOf('Observation?code=1-1,2-2')
    const passing = Array.from({ length: 500 }, (_, index) => (index % 5 === 0 ? '{"a":"1-1"}\n' : '{"a":"no"}\n'))
    const all = Buffer.from(passing.join(''))
    const sought = t.mock.method(all, 'indexOf')
    let found = 0
    for (let at = next(all, 0); at < all.length; at = next(all, at + '{"a":"1-1"}\n'.length)) found++
    assert.equal(found, 100)
    const bytes = new Map<string, number>()
    for (const { arguments: args, result } of sought.mock.calls) {
      const [literal, from] = args as unknown as [Buffer, number]
      const to = (result as number) < 0 ? all.length : (result as number)
      bytes.set(literal.toString(), (bytes.get(literal.toString()) ?? 0) + to - from)
    }
    for (const [literal, gone] of bytes) assert.ok(gone <= all.length, `${literal}: ${gone} bytes of ${all.length}`)
    assert.equal(bytes.size, 3)
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
