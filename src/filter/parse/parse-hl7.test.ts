import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { comparedValuesMax } from '../limits.ts'
import { outcome, type Row } from './parse.fixture.ts'
import { hl7Switches } from './switches.ts'

const C = ['Condition']
const D = ['DocumentReference']

const superset: readonly Row[] = [
  ['T-86', 'Procedure?status=completed', ['Procedure'], 'Procedure status:1'],
  ['D10', 'Condition?clinical-status=active', undefined, 'Condition clinical-status:1'],
  ['D10, not exportable', 'Medication?code=1', undefined, '400 value'],
  ['T-58', 'Encounter?status=planned', C, '400 value'],
  ['D11', 'Condition?category=a,Condition?category=b', C, 'Condition category:1', 'Condition category:1'],
  ['D11', ['Condition?category=a', 'Condition?category=b'], C, 'Condition category:1', 'Condition category:1'],
  ['D12', 'Patient?gender=male', ['Patient'], 'Patient gender:1'],
  ['D12, Provenances follow their targets', 'Provenance?target=x', ['Provenance'], '422 not-supported'],
  ['D13', 'Condition?patient=Patient/1&_id=1&_lastUpdated=ge2020', C, 'Condition patient:1 _id:1 _lastUpdated:1'],
  ['D13', 'Condition?_count=1', C, '422 not-supported'],
  ['T-84', 'Condition?foo=bar', C, '422 not-supported'],
  ['T-98 is a code like others', 'CarePlan?category=longitudinal', ['CarePlan'], 'CarePlan category:1'],
  ['chains', 'Observation?performer:Practitioner.name=x', ['Observation'], '422 not-supported'],
  ['chains', 'Observation?performer.name=x', ['Observation'], '422 not-supported'],
  ['_has', 'Observation?_has:Provenance:target:recorded=2020', ['Observation'], '422 not-supported'],
  ['terminology', 'Observation?code:in=http://loinc.org/vs/LL715-4', ['Observation'], '422 not-supported'],
  ['terminology', 'Observation?code:not-in=http://loinc.org/vs/LL715-4', ['Observation'], '422 not-supported'],
  ['terminology', 'Observation?code:above=1', ['Observation'], '422 not-supported'],
  ['terminology', 'DocumentReference?contenttype:below=text/xml', D, '422 not-supported'],
  ['hierarchies', 'Procedure?location:below=42', ['Procedure'], '422 not-supported'],
  ['modifiers of the type', 'Observation?code:exact=1', ['Observation'], '422 not-supported'],
  ['modifiers of the type', 'Observation?status:text=final', ['Observation'], '422 not-supported'],
  ['modifiers of the type', 'Observation?code:of-type=a|b|c', ['Observation'], '422 not-supported'],
  ['modifiers of the type', 'Observation?value-quantity:not=1', ['Observation'], '422 not-supported'],
  [
    'modifiers are not for composites',
    'Observation?code-value-quantity:missing=true',
    ['Observation'],
    '422 not-supported',
  ],
  ['not a target', 'Observation?performer:Device=1', ['Observation'], '422 not-supported'],
  ['no type', 'Observation?focus:[type]=1', ['Observation'], '422 not-supported'],
  ['a bound on values', `Observation?value-quantity=${'1,'.repeat(comparedValuesMax)}1`, ['Observation'], '422 value'],
  [
    'codes are looked up',
    `Observation?code=${'1,'.repeat(comparedValuesMax)}1`,
    ['Observation'],
    'Observation code:1001',
  ],
  ['any target', 'Observation?focus:Device=1', ['Observation'], 'Observation focus:1'],
  [
    'no canonical has an identifier',
    'CarePlan?instantiates-canonical:identifier=a|b',
    ['CarePlan'],
    '422 not-supported',
  ],
  ['two modifiers', 'Observation?code:not:text=1', ['Observation'], '422 not-supported'],
  [':missing', 'Observation?code:missing=false', ['Observation'], 'Observation code:missing'],
  [':missing', 'Observation?code:missing=yes', ['Observation'], '422 value'],
  [':missing', 'Observation?code:missing=true,false', ['Observation'], '422 value'],
  [
    'quantity',
    'Observation?value-quantity=ge5.4e-3|http://unitsofmeasure.org|g',
    ['Observation'],
    'Observation value-quantity:1',
  ],
  ['quantity', 'Observation?value-quantity=5|mg', ['Observation'], '422 value'],
  ['quantity', 'Observation?value-quantity=5||', ['Observation'], '422 value'],
  ['quantity', 'Observation?value-quantity=.5', ['Observation'], '422 value'],
  ['quantity', 'Observation?value-quantity=abc', ['Observation'], '422 value'],
  ['quantity, beyond every number', 'Observation?value-quantity=1e999', ['Observation'], '422 value'],
  ['reference', 'Observation?performer=#1', ['Observation'], '422 value'],
  ['reference', 'Observation?performer=Practitioner/1/2', ['Observation'], '422 value'],
  ['reference', 'Observation?performer:Practitioner=Organization/1', ['Observation'], '422 value'],
  [
    'reference, R4: not with an absolute URL',
    'Observation?performer:Practitioner=https://a.example/Practitioner/1',
    ['Observation'],
    '422 value',
  ],
  ['canonical', 'CarePlan?instantiates-canonical=Plan', ['CarePlan'], '422 value'],
  ['uri', 'CarePlan?instantiates-uri:below=urn:oid:1.2', ['CarePlan'], '422 value'],
  ['boolean', 'Patient?active=yes', ['Patient'], '422 value'],
  [
    'R4: no | on booleans',
    'Patient?active=http://terminology.hl7.org/CodeSystem/special-values|true',
    ['Patient'],
    '422 value',
  ],
  ['R4: no | on contact points', 'Patient?phone=phone|555', ['Patient'], '422 value'],
  ['composite', 'Observation?code-value-quantity=8480-6', ['Observation'], '422 value'],
  ['composite', 'Observation?code-value-quantity=8480-6$x', ['Observation'], '422 value'],
  ['composite', 'Observation?code-value-quantity=8480-6$lt60$1', ['Observation'], '422 value'],
  ['date', 'Condition?onset-date=2020-13', C, '422 value'],
  ['date', 'Condition?onset-date=2020-01-01T10', C, '422 value'],
  ['date, a + that became a blank', 'Condition?onset-date=2020-01-01T10:00:00 01:00', C, 'Condition onset-date:1'],
  ['date, a + stays a +', 'Condition?onset-date=2020-01-01T10:00:00+01:00', C, 'Condition onset-date:1'],
  [
    'date, a + and encoded colons',
    'Condition?onset-date=2020-01-01T10%3A00%3A00.5+01%3A00',
    C,
    'Condition onset-date:1',
  ],
  [
    'dates, each with a +',
    'Condition?onset-date=2020-01-01T10:00+01:00,2021-01-01T10:00+01:00',
    C,
    'Condition onset-date:2',
  ],
  ['token, a bare +', 'Condition?code=a+b', C, '422 value'],
  ['token, a bare + where everything is encoded', 'Condition%3Fcode%3Da%2Bb', C, '422 value'],
  ['token, a + that is encoded', 'Condition?code=a%2Bb', C, 'Condition code:1'],
  ['token, a blank', 'Condition?code=a%20b', C, 'Condition code:1'],
  ['no expression', 'Condition?_text=x', C, '422 not-supported'],
  ['needs its own logic', 'Location?near=1|2', ['Location'], '422 not-supported'],
  ['needs its own logic', 'Patient?phonetic=x', ['Patient'], '422 not-supported'],
]

describe('_typeFilter in the hl7 profile', () => {
  for (const [rule, text, types, ...expected] of superset) {
    it(`${rule}: ${String(text).slice(0, 90)}`, () => {
      assert.deepEqual(outcome([text].flat(), types, hl7Switches), expected)
    })
  }
})

describe('D15: without commas between queries', () => {
  it('a text is one query and its commas belong to values', () => {
    const switches = { ...hl7Switches, commaSplit: false }
    assert.deepEqual(outcome(['Condition?code=a,Encounter?status=b'], C, switches), ['Condition code:2'])
  })
})
