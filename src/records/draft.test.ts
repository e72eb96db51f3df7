import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  blanksOfManyLines,
  blanksOfOneLine,
  freeMembers,
  type JsonMember,
  type JsonSource,
  jsonSource,
  render,
} from '../fhir/json/json-source.fixture.ts'
import { jsonDepthMax } from '../fhir/json/json-text.ts'
import { somebody } from '../fhir/open-reference.ts'
import { ownedBytesMax, ownersMax } from '../fhir/ownership.ts'
import { ResourceScanner } from '../fhir/resource-scanner.ts'
import { recordValuesMax, type TextFault } from '../fhir/resource-text.ts'
import { draftOf, draftOfLine, draftOfSent, identifiersMax, type Sketch, sketchOfSent } from './draft.ts'

const bases = ['http://here/r4/clinic']

/** What is made of a text: of references the order does not matter. */
function described(draft: ReturnType<typeof draftOf>) {
  return 'fault' in draft ? draft : { ...draft, refs: draft.refs.toSorted() }
}

function sketched(found: Sketch | TextFault) {
  if ('fault' in found) return found
  const { type, id, key, statedId, identifiers, conditional } = found
  return { type, id, key, statedId, identifiers, conditional }
}

/** Under its own id, which most of them state, and under one that it gets. */
function assertSame(source: string): void {
  const line = Buffer.from(source)
  const text = line.toString()
  for (const id of [undefined, 'x-1', 'another.1']) {
    const parsed = described(draftOf(text, bases, id))
    assert.deepEqual(described(draftOfLine(line, bases, id)), parsed, source)
    assert.deepEqual(described(draftOfSent(text, bases, id)), parsed, source)
    if (id === undefined) continue
    assert.deepEqual(sketched(sketchOfSent(text, bases, id)), sketched(parsed), source)
  }
}

const isScanned = (source: string): boolean => new ResourceScanner().scan(Buffer.from(source)) !== undefined

const literal = (...texts: string[]) => fc.constantFrom(...texts).map((text): JsonSource => ({ literal: text }))
const member = (key: string, value: fc.Arbitrary<JsonSource>): fc.Arbitrary<JsonMember> =>
  value.map((found) => ({ key, value: found }))

const referenceText = literal(
  '"Patient/p"',
  '"Patient/q"',
  '"http://here/r4/clinic/Patient/p"',
  '"Practitioner/a"',
  '"Location/b.1/_history/3"',
  '"Condition/c"',
  '"Organization/é"',
  '"Pr\\u0061ctitioner/a"',
  '"http://here/r4/clinic/Organization/o"',
  '"http://there/r4/clinic/Organization/o"',
  '"#contained"',
  '{"reference":"Location/within"}',
  '["Location/in-an-array"]',
  'null',
  '7',
)
const reference = fc
  .tuple(fc.constantFrom('"reference"', '"\\u0072eference"', '"Reference"', '"reference "'), referenceText)
  .chain(([key, value]) =>
    fc.record({ free: freeMembers(jsonSource, 2), at: fc.nat(2) }).map(({ free, at }) => ({
      members: free.toSpliced(at, 0, { key, value }),
    })),
  )
const holder: fc.Arbitrary<JsonSource> = fc.oneof(
  reference,
  fc.array(fc.oneof(reference, jsonSource), { maxLength: 3 }).map((items) => ({ items })),
  freeMembers(reference, 3).map((members) => ({ members })),
  referenceText,
)

const identifierText = literal('"http://a"', '"7"', '"\\u0037"', '"é"', '""', 'null', '7', '{"value":"within"}')
const identifier = fc
  .array(member('"system"', identifierText), { maxLength: 2 })
  .chain((systems) =>
    fc
      .array(
        fc.oneof(
          member('"value"', identifierText),
          member('"assigner"', reference),
          member('"type"', holder),
          member('"identifier"', identifierText),
        ),
        { maxLength: 3 },
      )
      .map((members): JsonSource => ({ members: [...systems, ...members] })),
  )
const identifiers = fc.oneof(
  identifier,
  fc.array(fc.oneof({ weight: 4, arbitrary: identifier }, holder), { maxLength: 3 }).map((items) => ({ items })),
  holder,
)

const participants = fc
  .array(
    fc.array(member('"actor"', holder), { maxLength: 1 }).map((members): JsonSource => ({ members })),
    { maxLength: 3 },
  )
  .map((items): JsonSource => ({ items }))

const metaMember = fc.oneof(
  member('"versionId"', literal('"3"', '3')),
  member('"lastUpdated"', literal('"2020-01-01T00:00:00Z"', '"2020"', '"\\u0032020"', 'null', '{"a":1}')),
  member('"\\u006castUpdated"', literal('"2020-01-01T00:00:00Z"')),
  member('"profile"', jsonSource),
  member('"extension"', holder),
)
const meta = fc.oneof(
  { weight: 5, arbitrary: fc.array(metaMember, { maxLength: 4 }).map((members): JsonSource => ({ members })) },
  jsonSource,
)

/** Lines of NDJSON that are resources, or nearly: any order, keys that stand twice, members of other kinds. */
const resource = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 2, arbitrary: member('"meta"', meta) },
        member('"subject"', holder),
        member('"patient"', holder),
        { weight: 2, arbitrary: member('"target"', holder) },
        { weight: 2, arbitrary: member('"identifier"', identifiers) },
        member('"performer"', holder),
        member('"payor"', holder),
        member('"participant"', participants),
        member('"reference"', referenceText),
        fc.record({ key: fc.constantFrom('"a"', '"é"', '"__proto__"', '"1"'), value: jsonSource }),
      ),
      { maxLength: 6 },
    ),
    fc.oneof(
      { weight: 2, arbitrary: literal('"Account"', '"Appointment"', '"Claim"', '"Coverage"', '"ServiceRequest"') },
      {
        weight: 3,
        arbitrary: literal(
          '"Observation"',
          '"Provenance"',
          '"Patient"',
          '"Device"',
          '"Basic"',
          '"no type"',
          '"B\\u0061sic"',
          '7',
        ),
      },
    ),
    fc.oneof({ weight: 9, arbitrary: literal('"x-1"') }, literal('"é"', '""', '7', '"\\u0078"')),
  )
  .chain(([free, type, id]) => {
    const all = [{ key: '"resourceType"', value: type }, { key: '"id"', value: id }, ...free]
    return fc.shuffledSubarray(all, { minLength: all.length - 1 })
  })

describe('a draft of a line', () => {
  it('is the same that parsing makes of it', () => {
    const blanks = fc.oneof(fc.constant(['']), blanksOfOneLine, blanksOfManyLines)
    fc.assert(
      fc.property(resource, blanks, (members, between) => assertSame(render({ members }, between))),
      { numRuns: 2_000 },
    )
  })

  const patients = (count: number) => Array.from({ length: count }, (_, id) => ({ reference: `Patient/p${id}` }))
  const wide: readonly object[] = [
    { resourceType: 'ServiceRequest', subject: patients(1)[0] },
    { resourceType: 'ServiceRequest', subject: patients(1)[0], performer: patients(3) },
    { resourceType: 'ServiceRequest', performer: patients(2), subject: { reference: 'Patient/other' } },
    { resourceType: 'ServiceRequest', requester: patients(1)[0] },
    { resourceType: 'Claim', patient: patients(1)[0], payee: { party: { reference: 'Patient/other' } } },
    { resourceType: 'Specimen', subject: { reference: 'Device/d' }, collection: { collector: patients(1)[0] } },
    { resourceType: 'Coverage', subject: patients(1)[0], beneficiary: { reference: 'Patient/other' } },
    { resourceType: 'Account', subject: patients(2) },
    ...['subject', 'patient'].flatMap((element) =>
      [{ display: 'x' }, { identifier: { value: 'x' } }, { reference: '#x' }, { reference: 'urn:x' }, [], null].map(
        (value) => ({ resourceType: 'Specimen', [element]: value }),
      ),
    ),
    { resourceType: 'Observation', subject: { display: 'x' } },
    { resourceType: 'Observation', performer: patients(1), subject: { reference: 'Group/g' } },
    { resourceType: 'Observation' },
    { resourceType: 'Device', patient: { type: 'Patient' } },
    { resourceType: 'Contract', subject: patients(1), author: { reference: 'Patient/other' } },
    { resourceType: 'Contract', subject: patients(2) },
    { resourceType: 'Linkage', item: patients(1).map((resource) => ({ resource })) },
    { resourceType: 'Organization', subject: { display: 'x' } },
    ...[ownersMax - 1, ownersMax, ownersMax + 1].map((count) => ({
      resourceType: 'Appointment',
      participant: patients(count).map((actor) => ({ actor })),
      supportingInformation: [{ reference: 'Organization/o' }, { reference: 'Spaceship/s' }],
    })),
  ]
  it('is the same of records of any type that may belong to patients', () => {
    for (const each of wide) {
      const source = JSON.stringify({ id: 'x-1', ...each })
      assert.ok(isScanned(source), source)
      assertSame(source)
    }
  })

  it("is nobody's where it would be a crowd's, by their number or by the bytes of their rows, and says so", () => {
    const draftOfCrowd = (count: number, note: string) => {
      const participant = patients(count).map((actor) => ({ actor }))
      const draft = draftOf(JSON.stringify({ resourceType: 'Appointment', id: 'x', participant, comment: note }), bases)
      assert.ok('text' in draft)
      return draft
    }
    const told = (count: number, note = '') => {
      const { owners, refs } = draftOfCrowd(count, note)
      return [owners!.length, owners![0] === '', refs.includes(somebody.crowd)]
    }
    assert.deepEqual(told(ownersMax - 1), [ownersMax - 1, false, false])
    assert.deepEqual(told(ownersMax), [ownersMax, false, false])
    assert.deepEqual(told(ownersMax + 1), [1, true, true])
    const room = ownedBytesMax / 2 - draftOfCrowd(2, '').text.bytes.length
    assert.deepEqual(told(2, 'x'.repeat(room - 1)), [2, false, false])
    assert.deepEqual(told(2, 'x'.repeat(room)), [2, false, false])
    assert.deepEqual(told(2, 'x'.repeat(room + 1)), [1, true, true])
    assert.deepEqual(told(1, 'x'.repeat(room + 1)), [1, false, false])
  })

  it('is the same, or the same fault, when a character is missing, another, or too much', () => {
    const noise = fc.constantFrom(
      '',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      ' ',
      '0',
      '-',
      '.',
      'e',
      'u',
      '\t',
      '\0',
      'é',
    )
    fc.assert(
      fc.property(resource, fc.nat(), fc.nat(1), noise, (members, place, length, other) => {
        const source = render({ members }, [''])
        const at = place % (source.length + 1)
        assertSame(`${source.slice(0, at)}${other}${source.slice(at + length)}`)
      }),
      { numRuns: 5_000 },
    )
  })

  const around = (value: string) => `{"resourceType":"Basic","id":"x","a":${value}}`

  it('knows each form of a JSON value', () => {
    const right = [
      '0',
      '-0.10',
      '12e+3',
      '1E-7',
      'true',
      'false',
      'null',
      '""',
      '"\\u00e9\\n\\/"',
      '[]',
      '{}',
      '[[],{}]',
    ]
    for (const value of right) {
      assert.ok(isScanned(around(value)), value)
      assertSame(around(value))
    }
    const wrong = [
      '01',
      '-',
      '.5',
      '1.',
      '1e',
      '+1',
      'tru',
      'nul',
      '"\\x"',
      '"\\u12g4"',
      '"\t"',
      '[1,]',
      '{"b"}',
      '{,}',
    ]
    for (const value of wrong) {
      assert.ok(!isScanned(around(value)), value)
      assertSame(around(value))
    }
  })

  it('nests as deep as a parsed one', () => {
    for (const depth of [jsonDepthMax - 2, jsonDepthMax - 1, jsonDepthMax, jsonDepthMax + 1, 10 * jsonDepthMax]) {
      assertSame(around(`${'['.repeat(depth)}${']'.repeat(depth)}`))
      assertSame(around(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`))
    }
    assert.ok(isScanned(around(`${'['.repeat(jsonDepthMax - 2)}${']'.repeat(jsonDepthMax - 2)}`)))
  })

  it('is the same of texts of any length that are sent', () => {
    const scratchChars = 32 * 1024
    for (const length of [scratchChars - 1, scratchChars, scratchChars + 1]) {
      const start = '{"resourceType":"Basic","id":"x","a":"'
      assertSame(`${start}${'€'.repeat(length - start.length - 2)}"}`)
    }
  })

  it('has so many values at most where it is sent, scanned or not', () => {
    for (const values of [recordValuesMax - 1, recordValuesMax, recordValuesMax + 1]) {
      const source = `{"resourceType":"Basic","id":"x","a":[1${',1'.repeat(values - 4)}]}`
      const parsed = described(draftOf(source, bases))
      assert.equal('fault' in parsed, values > recordValuesMax)
      assert.deepEqual(described(draftOfSent(source, bases, undefined)), parsed)
      assert.deepEqual(sketched(sketchOfSent(source, bases, 'x')), sketched(parsed))
    }
  })

  it('may have many keys', () => {
    const object = (keys: number) => `{${Array.from({ length: keys }, (_, key) => `"k${key}":1`).join(',')}}`
    for (const keys of [508, 509, 510, 2_000]) assertSame(around(object(keys)))
    assert.ok(isScanned(around(object(509))) && !isScanned(around(object(510))))
  })

  it('has the identifiers of its element identifier, and of no other', () => {
    const scanned: readonly [identifier: string, found: readonly (readonly [string, string])[]][] = [
      [
        '[{"system":"a","value":"1"},{"value":"2","use":"old"},{"system":"c"},{}]',
        [
          ['a', '1'],
          ['', '2'],
        ],
      ],
      ['{"system":"a","value":"1","assigner":{"identifier":{"value":"2"}}}', [['a', '1']]],
      ['[[{"value":"1"}],"2",null]', []],
      ['"1"', []],
    ]
    for (const [identifier, found] of scanned) {
      const source = `{"resourceType":"Basic","id":"x","identifier":${identifier},"a":{"identifier":[{"value":"3"}]}}`
      assert.ok(isScanned(source), source)
      assertSame(source)
      const draft = draftOf(source, bases)
      assert.ok('identifiers' in draft)
      assert.deepEqual(
        draft.identifiers.map(({ system, value }) => [system, value]),
        found,
      )
    }
    for (const identifier of ['{"system":null,"value":"1"}', '{"system":7,"value":"1"}', '{"value":1}']) {
      const draft = draftOf(`{"resourceType":"Basic","id":"x","identifier":${identifier}}`, bases)
      assert.deepEqual('identifiers' in draft && draft.identifiers, [])
    }
  })

  it('has so many identifiers at most that all of them can be found', () => {
    const withIdentifiers = (count: number) =>
      `{"resourceType":"Basic","id":"x","identifier":[${Array.from({ length: count }, (_, at) => `{"value":"${at}"}`).join(',')}]}`
    const draft = draftOf(withIdentifiers(identifiersMax), bases)
    assert.equal('identifiers' in draft && draft.identifiers.length, identifiersMax)
    const fault = { fault: 'more than 1000 identifiers', expression: 'Basic.identifier' }
    assert.deepEqual(draftOf(withIdentifiers(identifiersMax + 1), bases), fault)
    assertSame(withIdentifiers(identifiersMax + 1))
  })

  it('is scanned where there is nothing to think about', () => {
    for (const source of [
      '{"resourceType":"Basic","id":"x"}',
      '{ "id" : "x" , "meta" : { "versionId" : "1" , "tag" : [ ] } , "resourceType" : "Basic" }',
      '{"resourceType":"Observation","id":"x","subject":{"reference":"Patient/p"},"note":[{"text":"\\"é\\" 😀"}]}',
    ]) {
      assert.ok(isScanned(source), source)
      assertSame(source)
    }
  })

  it('is parsed where there is', () => {
    for (const source of [
      ' {"resourceType":"Basic","id":"x"}',
      '{"resourceType":"Basic","id":"x"}\r',
      '{"resourceType":"Basic","id":"x"} {}',
      '{"resourceType":"Basic"\r,"id":"x"}',
      '{"resourceType":"Basic","id":"x","a":{"b":1,"b":2}}',
      '{"resourceType":"Basic","\\u0069d":"x"}',
      '{"resourceType":"Basic","id":"x","meta":[]}',
    ]) {
      assert.ok(!isScanned(source), source)
      assertSame(source)
    }
  })
})

describe('a Group', () => {
  const group = (more: object) =>
    JSON.stringify({ resourceType: 'Group', id: 'g', member: [{ entity: { reference: 'Patient/p' } }], ...more })

  it('with a modifier extension is a fault with its place, of a line too', () => {
    const source = group({ characteristic: [{ modifierExtension: [{ url: 'http://example.org/x' }] }] })
    const found = draftOf(source, bases)
    assert.ok('fault' in found)
    assert.deepEqual([found.kind, found.expression], ['extension', 'Group.characteristic[0].modifierExtension'])
    assertSame(source)
  })

  it('without one is a record, and so are other resources with one', () => {
    assertSame(group({}))
    assert.ok(!('fault' in draftOf(group({}), bases)))
    const basic = JSON.stringify({
      resourceType: 'Basic',
      id: 'b',
      modifierExtension: [{ url: 'http://example.org/x' }],
    })
    assert.ok(!('fault' in draftOf(basic, bases)))
  })
})
