import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { dataSet, dataSets } from '../../test/filter/naive/records.fixture.ts'
import { questionsFor, samples } from '../../test/filter/naive/samples.fixture.ts'
import { isObject } from '../fhir/json/json-object.ts'
import { Random } from '../population/random.ts'
import type { Filter } from './compile.ts'
import { filterOf } from './compiled-filter.fixture.ts'
import { searchParameter, searchParameterCodes } from './search-parameter.ts'
import { type SearchedType, searchParameters } from './search-parameters.generated.ts'
import { writeJson } from './written-json.fixture.ts'

/** What is said of a line by its bytes, which stand among others, is what is said of the parsed line. */
function agrees({ matches, passes }: Filter, line: string, parse = JSON.parse): boolean {
  const bytes = Buffer.from(`{"status":"final"}\n${line}\n{"code":1}\n`)
  const start = '{"status":"final"}\n'.length
  const passing = passes(bytes, start, start + Buffer.byteLength(line))
  assert.equal(passing, matches(parse(line)), line)
  return passing
}

/** For each parameter of the table its type, the questions about it, and resources that some of them find. */
const parameters = (Object.keys(searchParameters) as SearchedType[]).flatMap((searched) => {
  const type = searched === 'Resource' ? 'Observation' : searched
  return Object.keys(searchParameters[searched]).map((code) => {
    const parameter = searchParameter(type, code)!
    const filters = questionsFor(parameter).map((question) => filterOf(`${type}?${code}${question}`))
    return { name: `${type} ${code}`, filters, resources: samples(type, parameter) }
  })
})

/** Values that stand where a filter looks, and are none. */
const oddValues = [
  'null',
  '""',
  '[]',
  '{}',
  '[[]]',
  '0',
  '-1.50e-2',
  'true',
  '[null,{"coding":{"code":"a"}}]',
  '"2020-01"',
]

/** An object whose members a filter looks at, written in an odd way: members twice, others among them, blanks, values that do not fit. */
function oddlyWritten(resource: object, random: Random): string {
  const next = () => random.next()
  // Most have no escapes, so that they are not parsed as a whole.
  const written = (value: unknown): string => {
    if (isObject(value) && random.chance(0.5)) return oddlyWritten(value, random)
    return random.chance(0.8) ? JSON.stringify(value) : writeJson(value, next)
  }
  const own = Object.entries(resource).map(([name, value]) => `${written(name)}:${written(value)}`)
  const name = () => random.pick([...Object.keys(resource), 'code'])
  const odd = () => random.pick(oddValues)
  const others = [
    () => `"text":{"div":"} ] , \\"${name()}\\": {"}`,
    () => `"${name()}":${odd()}`,
    () => random.pick([...own, '"code":1']),
    () => `"${name()}x" : {"${name()}": ${odd()}}`,
    () => `"_${name()}":[{"id":"\\\\"},{"é😀":[[["}"]]]}]`,
    () => `"":${odd()}`,
  ]
  for (let more = random.integer(0, 2); more > 0; more--) {
    own.splice(random.integer(0, own.length), 0, random.pick(others)())
  }
  return `{${own.join(random.pick([',', '\t, ']))}${random.pick(['', ' '])}}`
}

/** One or two bytes put in, taken out or exchanged. */
function damaged(line: string, random: Random): string {
  let text = line
  for (let times = random.integer(1, 2); times > 0; times--) {
    const at = random.integer(0, text.length)
    const put = random.pick(['', '', ...'"{}[]:,\\ 0x', '""', ',"a":', ':{', '\\"'])
    text = text.slice(0, at) + put + text.slice(at + random.integer(0, 2))
  }
  // A surrogate without its other half cannot stand in UTF-8.
  return text.toWellFormed()
}

const seed = fc.nat({ max: 2 ** 31 - 1 })

describe('a line that is read by its bytes', () => {
  it('is decided as the parsed line is, for every parameter, however oddly it is written', () => {
    const counts = { met: 0, notMet: 0 }
    const tried = new Set<string>()
    fc.assert(
      fc.property(fc.constantFrom(...parameters), seed, ({ name, filters, resources }, key) => {
        const random = new Random(key)
        tried.add(name)
        for (let times = 0; times < 20; times++) {
          const line = oddlyWritten(random.pick(resources), random)
          counts[agrees(random.pick(filters), line) ? 'met' : 'notMet']++
        }
      }),
      { numRuns: parameters.length * 8 },
    )
    assert.ok(counts.met > 4_000 && counts.notMet > 4_000, JSON.stringify(counts))
    assert.ok(tried.size > parameters.length * 0.95, `${tried.size} of ${parameters.length} parameters`)
  })

  it('is decided as the parsed line is where a damaged one is still JSON; where it is not, it is refused or decided, and no more', () => {
    const counts = { json: 0, refused: 0, decided: 0 }
    fc.assert(
      fc.property(fc.constantFrom(...parameters), seed, ({ filters, resources }, key) => {
        const random = new Random(key)
        for (let times = 0; times < 20; times++) {
          const line = damaged(oddlyWritten(random.pick(resources), random), random)
          const filter = random.pick(filters)
          const parsed = parsedOf(line)
          if (parsed !== undefined) {
            agrees(filter, line, () => parsed.value)
            counts.json++
            continue
          }
          try {
            filter.passes(Buffer.from(`${line}\n{}\n`), 0, Buffer.byteLength(line))
            counts.decided++
          } catch (error) {
            assert.ok(error instanceof SyntaxError, String(error))
            counts.refused++
          }
        }
      }),
      { numRuns: parameters.length * 4 },
    )
    assert.ok(counts.json > 2_000 && counts.refused > 2_000, JSON.stringify(counts))
  })

  if (dataSets.length === 0) it('of the test data', { skip: 'NOT TESTED: ../shared/data is not beside the project' })
  for (const name of dataSets) {
    it(`is decided as the parsed line is, in ${name}`, () => {
      let met = 0
      for (const [type, lines] of dataSet(name, 50)) {
        const resources = lines.map((line) => JSON.parse(line))
        const text = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        for (const code of searchParameterCodes(type)) {
          const questions = questionsFor(searchParameter(type, code)!)
          const asked = [
            ...questions.slice(0, 3),
            ...questions.filter((question) => /=g[et]|=le|missing/.test(question)),
          ]
          for (const question of asked) {
            const { matches, passes } = filterOf(`${type}?${code}${question}`)
            let start = 0
            for (const [index, line] of lines.entries()) {
              const end = start + Buffer.byteLength(line)
              const passing = passes(text, start, end)
              assert.equal(passing, matches(resources[index]), `${type}?${code}${question} ${line}`)
              if (passing) met++
              start = end + 1
            }
          }
        }
      }
      assert.ok(met > 1_000, `${met} lines met`)
    })
  }
})

function parsedOf(line: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(line) }
  } catch {
    return undefined
  }
}

describe('what is parsed of a line', () => {
  const observation = (index: number, more = '') =>
    `{"resourceType":"Observation","id":"o${index}","status":"${index % 3 === 0 ? 'final' : 'amended'}","category":[{"coding":[{"code":"c${index % 7}"}]}]${more}}`
  const lines = Array.from({ length: 500 }, (_, index) => Buffer.from(observation(index)))

  it('are elements that say what has not been met before, each once', (t) => {
    const filter = filterOf('Observation?status=final,a,b,c,d&category=c1,c2,c3,c4,c5')
    const parsing = t.mock.method(JSON, 'parse')
    const passing = lines.filter((line) => filter.passes(line, 0, line.length)).length
    const parsed = parsing.mock.calls.map(({ arguments: [text] }) => text)
    parsing.mock.restore()
    assert.equal(passing, lines.filter((line) => filter.matches(JSON.parse(line.toString()))).length)
    // A plain string is taken as it is.
    const categories = Array.from({ length: 7 }, (_, index) => `[{"coding":[{"code":"c${index}"}]}]`)
    assert.deepEqual(parsed.sort(), categories)
  })

  it('is an element once, however many criteria ask for it', (t) => {
    const bounds = Array.from({ length: 50 }, (_, index) => `code:not=c${index}`).join('&')
    const filter = filterOf(`Observation?${bounds}`)
    const code = `{"coding":[{"code":"d","display":"${'x'.repeat(5_000)}"}]}`
    const line = Buffer.from(observation(0, `,"code":${code}`))
    const parsing = t.mock.method(JSON, 'parse')
    assert.equal(filter.passes(line, 0, line.length), true)
    assert.deepEqual(
      parsing.mock.calls.map(({ arguments: [text] }) => text),
      [code],
    )
  })

  it('is of meta the one element that is asked for', (t) => {
    const filter = filterOf('Observation?_tag=http://a.example|x')
    const tagged = (meta: string) => Buffer.from(`{"resourceType":"Observation","id":"a","meta":${meta}}`)
    const tag = '[{"system":"http://a.example","code":"x"}]'
    const parsing = t.mock.method(JSON, 'parse')
    const passes = (line: Buffer) => filter.passes(line, 0, line.length)
    assert.equal(passes(tagged(`{"versionId":"1","tag":${tag}}`)), true)
    assert.equal(passes(tagged(`{"versionId":"2","tag":${tag}}`)), true)
    assert.equal(passes(tagged('{"versionId":"3"}')), false)
    // What fits where nothing of the kind may stand is judged as a whole, and not taken for the element of the same text.
    assert.equal(passes(tagged(tag)), false)
    assert.deepEqual(
      parsing.mock.calls.map(({ arguments: [text] }) => text),
      [tag, tag],
    )
  })

  it('is the whole line where a key has an escape', (t) => {
    const filter = filterOf('Observation?status=final')
    const line = Buffer.from('{"st\\u0061tus":"final"}')
    const parsing = t.mock.method(JSON, 'parse')
    assert.equal(filter.passes(line, 0, line.length), true)
    assert.equal(parsing.mock.callCount(), 1)
  })
})
