import { describe } from 'node:test'
import { type Bodies, type Row, sharp, unknown } from './sharp.fixture.ts'

const loinc = 'http://loinc.org'
const snomed = 'http://snomed.info/sct'
const coded = (...coding: object[]) => ({ code: { coding } })

const codes: Bodies = {
  loinc: coded({ system: loinc, code: '8480-6', display: 'Systolic blood pressure' }),
  bare: coded({ code: '8480-6' }),
  snomed: coded({ system: snomed, code: '8480-6' }),
  two: coded({ system: snomed, code: '271649006' }, { system: loinc, code: '8480-6' }),
  crossed: coded({ system: loinc, code: '271649006' }, { system: snomed, code: 'x' }),
  longer: coded({ system: loinc, code: '8480-60' }),
  text: { code: { text: '8480-6' } },
  systemOnly: coded({ system: loinc }),
  extended: coded({ system: loinc, _code: unknown }),
  unknown: { code: unknown },
  none: { valueCodeableConcept: { coding: [{ system: loinc, code: '8480-6' }] } },
}

const forms: readonly Row[] = [
  ['code alone: any system', 'code=8480-6', 'loinc bare snomed two'],
  ['system and code, of the same coding', `code=${loinc}|8480-6`, 'loinc two'],
  ['|code: no system', 'code=|8480-6', 'bare'],
  ['system|: any code, even none', `code=${loinc}|`, 'loinc two crossed longer systemOnly extended'],
  ['system and code do not cross codings', `code=${snomed}|271649006`, 'two'],
  ['the beginning of a code is another code', 'code=8480', ''],
  ['a system is not a code', `code=${encodeURIComponent(loinc)}`, ''],
  ['a list is or', `code=${loinc}|8480-60,|8480-6`, 'bare longer'],
  ['repeats are and', 'code=8480-6&code=271649006', 'two'],
  ['repeats that no record meets', 'code=8480-6&code=8480-60', ''],
  [
    ':not is about the whole record',
    'code:not=271649006',
    'loinc bare snomed longer text systemOnly extended unknown none',
  ],
  [
    ':not includes records without the element',
    `code:not=${loinc}|8480-6`,
    'bare snomed crossed longer text systemOnly extended unknown none',
  ],
  [':not of a list is none of them', 'code:not=8480-6,271649006', 'longer text systemOnly extended unknown none'],
  [':not of a system', `code:not=${loinc}|`, 'bare snomed text unknown none'],
  [':not and not', 'code=8480-6&code:not=271649006', 'loinc bare snomed'],
  [':missing: text is a value, an extension is none', 'code:missing=true', 'unknown none'],
  [':missing=false', 'code:missing=false', 'loinc bare snomed two crossed longer text systemOnly extended'],
  [':text finds displays', 'code:text=systolic', 'loinc'],
  [':text finds texts', 'code:text=8480', 'text'],
  [':text is the beginning', 'code:text=blood', ''],
]

const odd: Bodies = {
  comma: coded({ code: 'a,b' }),
  pipe: coded({ code: 'a|b' }),
  dollar: coded({ code: 'a$b' }),
  backslash: coded({ code: 'a\\b' }),
  quote: coded({ code: 'a"b' }),
  slash: coded({ code: 'a/b' }),
  percent: coded({ code: 'a%b' }),
  plus: coded({ code: 'a+b' }),
  ampersand: coded({ code: 'a&b' }),
  query: coded({ code: 'Condition?a' }),
  a: coded({ code: 'a' }),
  b: coded({ code: 'b', system: 'a' }),
  upper: coded({ code: 'A' }),
  composed: coded({ code: 'é' }),
  decomposed: coded({ code: 'e\u0301' }),
  emoji: coded({ code: '🫀' }),
  number: coded({ code: 8480 }),
  blank: coded({ code: 'a b' }),
  line: coded({ code: 'a\nb' }),
}

const escapes: readonly Row[] = [
  ['an escaped comma', 'code=a\\,b', 'comma'],
  ['an encoded escaped comma', 'code=a%5C%2Cb', 'comma'],
  ['a comma', 'code=a,b', 'a b'],
  ['an encoded comma is a comma', 'code=a%2Cb', 'a b'],
  ['an escaped pipe', 'code=a\\|b', 'pipe'],
  ['a pipe', 'code=a|b', 'b'],
  ['an encoded pipe is a pipe', 'code=a%7Cb', 'b'],
  ['an escaped dollar', 'code=a\\$b', 'dollar'],
  ['a dollar in a value that is not composite', 'code=a$b', 'dollar'],
  ['an escaped backslash', 'code=a\\\\b', 'backslash'],
  ['an escaped backslash before a comma', 'code=a\\\\b,b', 'backslash b'],
  ['a quote', 'code=a"b', 'quote'],
  ['a slash', 'code=a/b', 'slash'],
  ['an encoded slash', 'code=a%2Fb', 'slash'],
  ['a percent sign', 'code=a%25b', 'percent'],
  ['an encoded plus', 'code=a%2Bb', 'plus'],
  ['an encoded ampersand', 'code=a%26b', 'ampersand', 'own'],
  ['an escaped comma before what looks like a query', 'code=a\\,Condition?a', ''],
  ['case counts', 'code=A', 'upper'],
  ['accents count', 'code=é', 'composed'],
  ['so does their form', 'code=e\u0301', 'decomposed'],
  ['an encoded one', 'code=%F0%9F%AB%80', 'emoji'],
  ['a number is no code', 'code=8480', ''],
  ['blanks inside count', 'code=a b', 'blank'],
  ['blanks around do not', 'code= a , b ', 'a b', 'own'],
  ['a line break', 'code=a%0Ab', 'line'],
]

describe('tokens of coded elements', () => {
  sharp('Observation', codes, forms)
  sharp('Observation', odd, escapes)
})

describe('arrays of arrays', () => {
  const category = (...concepts: string[][]) => ({
    category: concepts.map((list) => ({ coding: list.map((code) => ({ code })) })),
  })
  sharp(
    'Observation',
    {
      one: category(['vital-signs']),
      second: category(['survey'], ['x', 'vital-signs']),
      empty: category([], []),
      none: {},
    },
    [
      ['any coding of any category', 'category=vital-signs', 'one second'],
      ['repeats may be met by different categories', 'category=survey&category=vital-signs', 'second'],
      [':not', 'category:not=vital-signs', 'empty none'],
    ],
  )
})

describe('tokens of other elements', () => {
  sharp(
    'Encounter',
    {
      planned: {
        status: 'planned',
        class: { code: 'AMB', system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode' },
      },
      finished: { status: 'finished', class: { code: 'AMB' } },
      unknown: { _status: unknown },
    },
    [
      ['a code', 'status=planned', 'planned'],
      ['its system is that of the binding', 'status=http://hl7.org/fhir/encounter-status|planned', 'planned'],
      ['another system is not', 'status=http://hl7.org/fhir/account-status|planned', ''],
      ['a code element has no system member', 'status=|planned', 'planned'],
      ['any code of the system', 'status=http://hl7.org/fhir/encounter-status|', 'planned finished'],
      ['a primitive with extensions only is missing', 'status:missing=true', 'unknown'],
      ['and met by :not', 'status:not=planned', 'finished unknown'],
      ['a Coding', 'class=AMB', 'planned finished'],
      ['a Coding with system', 'class=http://terminology.hl7.org/CodeSystem/v3-ActCode|AMB', 'planned'],
    ],
  )
  const type = (code: string) => ({
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code }],
    text: 'Record',
  })
  sharp(
    'Patient',
    {
      alive: {
        active: true,
        deceasedBoolean: false,
        identifier: [{ system: 'http://a.example', value: '1', type: type('MR') }],
      },
      dead: {
        active: false,
        deceasedBoolean: true,
        identifier: [{ value: '1' }, { system: 'http://a.example', value: '2' }],
      },
      died: {
        deceasedDateTime: '2020',
        identifier: [
          { value: '2', type: type('MR') },
          { value: '1', type: type('SS') },
        ],
      },
      doubtful: {
        _deceasedBoolean: unknown,
        _active: unknown,
        telecom: [
          { system: 'phone', value: '555' },
          { system: 'email', value: 'a@b' },
        ],
      },
    },
    [
      ['a boolean', 'active=true', 'alive'],
      ['false is not absent', 'active=false', 'dead'],
      [':not of a boolean', 'active:not=true', 'dead died doubtful'],
      [':missing of a boolean', 'active:missing=true', 'died doubtful'],
      ['deceased: a date or true', 'deceased=true', 'dead died'],
      ['deceased: false or absent', 'deceased=false', 'alive doubtful'],
      ['identifier', 'identifier=1', 'alive dead died'],
      ['identifier with system', 'identifier=http://a.example|1', 'alive'],
      ['identifier without system', 'identifier=|1', 'dead died'],
      ['any identifier of a system', 'identifier=http://a.example|', 'alive dead'],
      [
        ':of-type, of the same identifier',
        'identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|1',
        'alive',
      ],
      [':text of an identifier', 'identifier:text=record', 'alive died'],
      ['phone is a telecom of that system', 'phone=555', 'doubtful'],
      ['an email is no phone', 'phone=a@b', ''],
      ['telecom is any', 'telecom=a@b', 'doubtful'],
    ],
  )
})

describe('tokens that may be uris', () => {
  const urn = 'urn:event:admission'
  sharp(
    'MessageHeader',
    {
      uri: { eventUri: urn },
      coding: { eventCoding: { system: loinc, code: urn } },
      plain: { eventCoding: { code: urn } },
      other: { eventUri: 'urn:event:transfer' },
    },
    [
      ['the whole uri, as a code', `event=${urn}`, 'uri coding plain'],
      ['a uri has no system', `event=|${urn}`, 'uri plain'],
      ['a system is a Coding’s', `event=${loinc}|${urn}`, 'coding'],
      ['any code of a system', `event=${loinc}|`, 'coding'],
      [':not', `event:not=${urn}`, 'other'],
      ['a uri is a value', 'event:missing=true', ''],
    ],
  )
})

describe('slices and components', () => {
  const component = (code: string, value: number) => ({
    code: { coding: [{ system: loinc, code }] },
    valueQuantity: { value, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
  })
  sharp(
    'Observation',
    {
      high: {
        ...coded({ system: loinc, code: '85354-9' }),
        component: [component('8480-6', 150), component('8462-4', 55)],
      },
      low: {
        ...coded({ system: loinc, code: '85354-9' }),
        component: [component('8480-6', 55), component('8462-4', 150)],
      },
      single: { ...component('8480-6', 150) },
      silent: {
        component: [
          { ...coded({ system: loinc, code: '8480-6' }), dataAbsentReason: { coding: [{ code: 'unknown' }] } },
        ],
      },
    },
    [
      ['code never looks at components (search-params §3)', 'code=8480-6', 'single'],
      ['component-code does', 'component-code=8480-6', 'high low silent'],
      ['combo-code looks at both', 'combo-code=8480-6', 'high low single silent'],
      ['parts of a composite are of one component', 'component-code-value-quantity=8480-6$gt100', 'high'],
      ['of the other component', 'component-code-value-quantity=8462-4$gt100', 'low'],
      [
        'with system and unit',
        `component-code-value-quantity=${loinc}|8480-6$150|http://unitsofmeasure.org|mm[Hg]`,
        'high',
      ],
      ['combo-: of the record or of one component', 'combo-code-value-quantity=8480-6$gt100', 'high single'],
      ['code-value-: of the record', 'code-value-quantity=8480-6$gt100', 'single'],
      ['a list of composites', 'combo-code-value-quantity=8480-6$lt60,8462-4$lt60', 'high low'],
      [
        'parameters apart need not meet in one component',
        'component-code=8480-6&component-value-quantity=55',
        'high low',
      ],
      ['dataAbsentReason', 'component-data-absent-reason=unknown', 'silent'],
      ['dataAbsentReason of either', 'combo-data-absent-reason:missing=true', 'high low single'],
      ['combo-value-quantity', 'combo-value-quantity=150', 'high low single'],
      ['value-quantity', 'value-quantity=150', 'single'],
    ],
  )
})
