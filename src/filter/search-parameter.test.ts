import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { ElementPaths } from '../../scripts/search-parameters/element-paths.ts'
import { NotSearchable } from '../../scripts/search-parameters/not-searchable.ts'
import { referencePage, referencePageFile } from '../../scripts/search-parameters/reference-page.ts'
import { sourceText, sourceTextFile } from '../../scripts/search-parameters/source-text.ts'
import { searchParameterTable } from '../../scripts/search-parameters/table.ts'
import { clinicalTypes } from '../fhir/resource-types.ts'
import { documented } from './parse/documented.ts'
import { hl7Switches, millenniumSwitches } from './parse/switches.ts'
import { searchParameter } from './search-parameter.ts'
import { searchParameters } from './search-parameters.generated.ts'
import { supportedParameters } from './supported.ts'

/** How many parameters R4 has for each type, and how many the 16 excluded names leave (search-params §8). */
const sizes: Readonly<Record<string, readonly [all: number, left: number]>> = {
  AllergyIntolerance: [16, 13],
  CarePlan: [20, 15],
  CareTeam: [8, 3],
  Condition: [21, 17],
  Device: [12, 10],
  DiagnosticReport: [16, 11],
  DocumentReference: [25, 20],
  Encounter: [23, 19],
  Goal: [8, 5],
  Immunization: [16, 13],
  MedicationRequest: [16, 11],
  Observation: [38, 33],
  Procedure: [16, 11],
}

/** US Core's and Oracle's own. */
const additions = [
  'CareTeam role',
  'Condition asserted-date',
  'Encounter discharge-disposition',
  'Goal description',
  'MedicationRequest -timing-boundsPeriod',
]

describe('the table of search parameters', () => {
  it('is what the generator makes of the official definitions, and so is its page', () => {
    const found = searchParameterTable()
    const advice = 'run scripts/generate-search-parameters.ts'
    assert.equal(readFileSync(sourceTextFile, 'utf8'), sourceText(found.table), advice)
    assert.equal(readFileSync(referencePageFile, 'utf8'), referencePage(found), advice)
  })

  it('has no parameter with a choice of which a datatype would be passed over', () => {
    const choice = (...types: string[]) => ({
      path: 'Basic.value[x]',
      min: 0,
      max: '1',
      type: types.map((code) => ({ code })),
    })
    const compile = (...types: string[]) =>
      new ElementPaths(new Map([['Basic.value[x]', choice(...types)]]), () => []).compile(
        'Basic',
        [{ name: 'value' }],
        'token',
      )
    assert.deepEqual(
      compile('Coding', 'uri', 'Quantity').map(({ datatype }) => datatype),
      ['Coding', 'uri'],
      'a Quantity is no token',
    )
    assert.throws(() => compile('Coding', 'Money'), new NotSearchable('a token is not looked for in Money'))
  })

  it('has all 235 R4 parameters of the clinical types, of which the excluded names leave 181', () => {
    const counted = clinicalTypes.map((type) => {
      const codes = Object.keys(searchParameters[type]).filter((code) => !additions.includes(`${type} ${code}`))
      return [type, [codes.length, codes.filter((code) => !millenniumSwitches.deniedParams.includes(code)).length]]
    })
    assert.deepEqual(Object.fromEntries(counted), sizes)
  })

  it('has the additions of US Core and Oracle', () => {
    for (const name of additions) {
      const [type = '', code = ''] = name.split(' ')
      assert.ok(searchParameter(type, code), name)
    }
  })

  it('has every parameter that Oracle documents: 20', () => {
    const names = Object.entries(documented).flatMap(([type, rules]) =>
      Object.keys(rules).map((code) => ({ type, code })),
    )
    assert.equal(names.length, 20)
    for (const { type, code } of names) assert.ok(searchParameter(type, code), `${type} ${code}`)
  })

  it('has the 16 excluded names and only them', () => {
    assert.equal(new Set(millenniumSwitches.deniedParams).size, 16)
  })

  it('knows no members of objects as parameters', () => {
    assert.equal(searchParameter('Condition', 'constructor'), undefined)
    assert.equal(searchParameter('toString', 'code'), undefined)
  })
})

describe('supported parameters', () => {
  it('are what Oracle documents in the millennium profile', () => {
    const codes = (type: string) => supportedParameters(type, millenniumSwitches).map(({ code }) => code)
    assert.deepEqual(codes('Condition'), ['category', 'clinical-status'])
    assert.deepEqual(codes('Device'), [])
    assert.deepEqual(codes('Patient'), [])
  })

  it('are all of the table in the hl7 profile', () => {
    const found = supportedParameters('Encounter', hl7Switches)
    assert.equal(found.length, Object.keys(searchParameters.Encounter).length + 6)
    assert.deepEqual(found[0], { code: 'account', type: 'reference' })
    assert.deepEqual(supportedParameters('Provenance', hl7Switches), [])
  })
})
