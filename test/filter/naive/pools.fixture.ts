import type { Datatype, SearchType } from '../../../src/filter/search-parameter.ts'

const ours = 'https://ehr.example/r4/acme'
const loinc = 'http://loinc.org'
const ucum = 'http://unitsofmeasure.org'
const unknown = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
}

const dates = [
  '2020',
  '2020-02',
  '2020-02-29',
  '2019-12-31',
  '2020-02-29T23:30:00-05:00',
  '2020-03-01T04:30:00Z',
  '2020-02-29T12:00:00.5Z',
  '2016-12-31T23:59:60Z',
  '2017-01-01T00:00:00Z',
  '0001-01-01',
  '9999-12-31',
  'soon',
]
const codings = [
  { system: loinc, code: '8480-6', display: 'Systolic blood pressure' },
  { code: '8480-6' },
  { system: loinc },
  { system: 'http://snomed.info/sct', code: '8480-6', display: 'Übergewicht' },
  { system: loinc, code: 'a,b|c$d\\e/f"g' },
  { system: loinc, _code: unknown },
  { display: 'Systolic' },
]
const quantities = [
  { value: 5.4, unit: 'mg', system: ucum, code: 'mg' },
  { value: 5.35, unit: 'milligram', system: ucum, code: 'mg' },
  { value: 5.45, system: ucum, code: 'mg' },
  { value: 5.4, unit: 'mg' },
  { value: 0.0054, system: ucum, code: 'g' },
  { value: 5350, system: ucum, code: 'ug' },
  { value: 0.00545, system: ucum, code: 'g' },
  { value: 5.4, system: ucum, code: 'mL' },
  { value: 5, comparator: '<', system: ucum, code: 'mg' },
  { value: 5.4, comparator: '>=', system: ucum, code: 'mg' },
  { value: 5.4, comparator: '>', code: 'mg' },
  { value: 0 },
  { value: -3, system: ucum, code: 'mg' },
  { unit: 'mg', system: ucum, code: 'mg', _value: unknown },
]
const references = [
  { reference: 'TARGET/1' },
  { reference: `${ours}/TARGET/1` },
  { reference: 'TARGET/1/_history/2' },
  { reference: 'https://other.example/fhir/TARGET/1' },
  { reference: 'TARGET/11' },
  { reference: 'Basic/1' },
  { reference: '#1' },
  { reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' },
  { type: 'TARGET', identifier: { system: 'http://ids.example', value: 'a1' } },
  { display: 'someone' },
  { _reference: unknown },
]

/** Values to put where a parameter looks, for each datatype; `TARGET` stands for a type the reference may have. */
export const elements: Readonly<Partial<Record<Datatype, readonly unknown[]>>> = {
  CodeableConcept: [
    ...codings.map((coding) => ({ coding: [coding] })),
    { coding: [codings[6], codings[0]], text: 'Blood pressure' },
    { text: 'Élan vital' },
    unknown,
  ],
  Coding: [...codings, unknown],
  Identifier: [
    { system: 'http://ids.example', value: '8480-6' },
    { value: '8480-6' },
    { type: { coding: [{ system: loinc, code: 'MR' }], text: 'Medical record' }, value: 'a1' },
    unknown,
  ],
  ContactPoint: [
    { system: 'phone', value: '8480-6' },
    { system: 'email', value: '8480-6' },
    { system: 'phone', value: '555' },
    unknown,
  ],
  code: ['8480-6', 'active', 'CODE'],
  id: ['8480-6', 'a1'],
  boolean: [true, false],
  date: dates.filter((date) => !date.includes('T')),
  dateTime: dates,
  instant: ['2020-02-29T12:00:00Z', '2020-02-29T12:00:00.500Z', '2020-03-01T04:30:00+14:00'],
  Period: [
    { start: '2020-02-01', end: '2020-02-29' },
    { start: '2020-02-29T12:00:00Z', end: '2020' },
    { start: '2020' },
    { end: '2019-12-31' },
    { start: 'soon', end: '2020' },
    { _start: unknown },
    unknown,
  ],
  Timing: [
    { event: ['2020-02-29', '2019-12-31T10:00:00Z'] },
    { repeat: { boundsPeriod: { start: '2020-02-01' } } },
    { event: ['2020'], repeat: { boundsPeriod: { end: '2020-02-29' } } },
    { repeat: { frequency: 2 } },
    { code: { text: 'daily' } },
  ],
  string: ['Müller', 'MULLER-Ä', 'von Müller', 'Straße', 'x,y|z$', 'e\u0301lan'],
  HumanName: [{ family: 'Müller', given: ['Anna', 'Mü'] }, { text: 'von Müller' }, { use: 'official' }],
  Address: [{ line: ['Müllerweg 1'], city: 'Bonn' }, { country: 'Mülland', use: 'home' }, { type: 'postal' }],
  Quantity: quantities,
  Range: [
    { low: quantities[0], high: { value: 9, system: ucum, code: 'mg' } },
    { low: quantities[0] },
    { high: quantities[0] },
    { low: { value: 1, system: ucum, code: 'ug' }, high: { value: 9, system: ucum, code: 'mg' } },
    { low: { value: 1, system: ucum, code: 'mL' }, high: { value: 9, system: ucum, code: 'mg' } },
    unknown,
  ],
  SampledData: [
    { origin: { value: 5, system: ucum, code: 'mg' }, period: 1, dimensions: 1, data: '0 E -1 4.25' },
    { origin: { value: 0 }, factor: 0.5, lowerLimit: -2, period: 1, dimensions: 1, data: 'L 10.8' },
    { origin: { value: 5 }, period: 1, dimensions: 1, data: 'U 1' },
    { origin: { value: 5 }, period: 1, dimensions: 1 },
  ],
  Reference: references,
  canonical: ['http://acme.example/P|1.0', 'http://acme.example/P', 'http://acme.example/P/2', 'urn:oid:1.2.3'],
  uri: ['http://acme.example/P', 'http://acme.example/P/2', 'http://acme.example', 'urn:oid:1.2.3', '8480-6'],
  url: ['http://acme.example/P', 'http://acme.example/P/2', 'http://acme.example', 'urn:oid:1.2.3'],
}

const prefixes = ['', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']
const each = (starts: readonly string[], ends: readonly string[]): string[] =>
  starts.flatMap((start) => ends.map((end) => `${start}${end}`))

const tokens = [
  '=8480-6',
  `=${loinc}|8480-6`,
  '=|8480-6',
  `=${loinc}|`,
  '=a\\,b\\|c\\$d\\\\e/f"g',
  '=nothing,8480-6',
  '=active',
]
const searchedDates = [
  '2020',
  '2020-02',
  '2020-02-29',
  '2020-03-01',
  '2020-03-01T04:30Z',
  '2020-02-29T12:00:00Z',
  '2020-02-29T12:00:00.500Z',
  '2017-01-01T00:00:00Z',
  '2019-12-31T23:00:00-01:00',
]
const numbers = ['5.4', '5', '5.40', '1e1', '-3', '0', '5.400']

/** What to ask a parameter of a type: the part of a query after its name. */
export const questions: Readonly<Record<SearchType, readonly string[]>> = {
  token: [...tokens, ...tokens.map((token) => `:not${token}`)],
  date: [...each(each(['='], prefixes), searchedDates), '=2019-12-31,2020'],
  string: [
    '=mull',
    '=MÜLLER',
    '=strasse',
    '=y',
    '=x\\,y\\|',
    '=elan',
    ':exact=Müller',
    ':exact=muller',
    ':contains=ULL',
    ':contains=z\\$',
  ],
  reference: [
    '=1',
    '=TARGET/1',
    `=${ours}/TARGET/1`,
    '=TARGET/1/_history/2',
    '=https://other.example/fhir/TARGET/1',
    '=https://other.example/fhir/TARGET/1/_history/2',
    '=urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0',
    ':TARGET=1',
    ':identifier=http://ids.example|a1',
    ':identifier=a1',
  ],
  quantity: [
    ...each(each(['='], prefixes), numbers),
    ...each(['=5.4', '=ge5.4', '=ne5.4'], [`|${ucum}|mg`, '||mg', `|${ucum}|`, '||milligram', `|${ucum}|ug`]),
    ...each(each(['='], prefixes), [`5400|${ucum}|ug`, `0.0054|${ucum}|g`]),
  ],
  uri: ['=http://acme.example/P', ':below=http://acme.example/P', ':above=http://acme.example/P/2/3', '=urn:oid:1.2.3'],
}

/** For reference parameters that look at canonicals and uris. */
export const canonicalQuestions = [
  '=http://acme.example/P',
  '=http://acme.example/P|1.0',
  '=http://acme.example/P|2.0',
  '=urn:oid:1.2.3',
]

/** Questions that only some tokens understand. */
export const textQuestions = [':text=systolic', ':text=elan', ':text=UBER', ':text=medical']
export const typedIdentifierQuestions = [`:of-type=${loinc}|MR|a1`, `:of-type=${loinc}|MR|8480-6`]
export const missingQuestions = [':missing=true', ':missing=false']
export const booleanQuestions = ['=true', '=false', ':not=true', ':not=true,false']

export const poolContext = { base: ours, now: new Date('2026-01-01T00:00:00Z') }
