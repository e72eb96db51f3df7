import fc from 'fast-check'
import { documentedTypes } from '../../fhir/resource-types.ts'
import type { Grant } from '../grant.ts'
import { exportLevels } from '../profile.ts'
import type { ExportInput } from './parse-request.ts'

export const base = 'https://fhir.example.org/r4/clinic'

/** A kick-off as `parseExportRequest` takes it. */
export type Input = ExportInput & { readonly body: string | undefined }

/** A caller that may read these types. */
export const grantFor = (types: readonly string[]): Grant => ({
  tenant: 'clinic',
  client: 'app',
  system: true,
  canRead: (type) => types.includes(type),
  readable: (type) => (types.includes(type) ? 'all' : 'none'),
  scopes: [],
  canWrite: () => false,
  unusable: [],
})

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 40 }))
const type = fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...documentedTypes) }, { weight: 1, arbitrary: text })
const list = fc.array(type, { minLength: 1, maxLength: 4 }).map((types) => types.join(','))
const query = fc.oneof(
  fc.constantFrom(
    'Condition?clinical-status=active',
    'Observation?code=1,2,Condition?category=x',
    'Encounter?status=planned',
    'Patient?gender=male',
    'Goal?target-date=ge2020&target-date=lt2021',
  ),
  fc.tuple(type, text, text).map(([of, name, value]) => `${of}?${name}=${value}`),
  text,
)
const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), text)
const valueName = fc.constantFrom(
  'valueX\ud800',
  'valueString',
  'valueCode',
  'valueInstant',
  'valueReference',
  'valueBoolean',
  'value',
)

/** An entry that is nearly always right, or nearly right, or anything. */
const entry = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .oneof({ weight: 20, arbitrary: fc.constantFrom('Patient/1', 'Patient/2', `${base}/Patient/3`) }, text)
      .map((reference) => ({ name: 'patient', valueReference: { reference } })),
  },
  { weight: 3, arbitrary: list.map((valueString) => ({ name: '_type', valueString })) },
  { weight: 2, arbitrary: query.map((valueString) => ({ name: '_typeFilter', valueString })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('LatestProvenanceResources', 'RelevantProvenanceResources', 'Foo')
      .map((valueCode) => ({ name: 'includeAssociatedData', valueCode })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('2021-03-18T19:19:42.000Z', '2021-03-18', '9999-12-31T23:59:60+14:00')
      .map((valueInstant) => ({ name: '_since', valueInstant })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('ndjson', 'text/csv').map((valueString) => ({ name: '_outputFormat', valueString })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        'Patient.name,subject',
        'Observation.value',
        'id,Patient.id',
        'Patient.name.family',
        'valueQuantity',
      )
      .map((valueString) => ({ name: '_elements', valueString })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('Patient', 'Encounter', 'x')
      .map((valueString) => ({ name: 'organizeOutputBy', valueString })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(true, false, 'true')
      .map((valueBoolean) => ({ name: 'allowPartialManifests', valueBoolean })),
  },
  { weight: 1, arbitrary: fc.tuple(text, valueName, value).map(([name, member, of]) => ({ name, [member]: of })) },
  { weight: 1, arbitrary: value },
)
const parameters = fc.record(
  {
    resourceType: fc.constantFrom('Parameters', 'Bundle'),
    parameter: fc.oneof(fc.array(entry, { maxLength: 8 }), value),
  },
  { requiredKeys: [] },
)

const whole = fc.array(entry, { maxLength: 5 }).map((entries) => ({
  resourceType: 'Parameters',
  parameter: [{ name: 'patient', valueReference: { reference: 'Patient/1' } }, ...entries],
}))

/** A body: mostly Parameters, now and then broken JSON, any JSON, or any text. */
export const anyBody: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: whole.map((body) => JSON.stringify(body)) },
  { weight: 2, arbitrary: parameters.map((body) => JSON.stringify(body)) },
  { weight: 1, arbitrary: fc.tuple(parameters, fc.nat(60)).map(([body, cut]) => JSON.stringify(body).slice(0, -cut)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: text },
)

/** A header value: pieces of the grammar in any order, or any text. */
export const anyHeader: fc.Arbitrary<string> = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        'respond-async',
        'handling',
        'lenient',
        'application/fhir+json',
        '*/*',
        'text/html',
        'fhirVersion',
        '4.0',
        'q',
        '0.5',
        ...',;="\\ \t',
      ),
      { maxLength: 12 },
    )
    .map((pieces) => pieces.join('')),
  fc.constantFrom('respond-async', 'respond-async, handling=lenient', 'application/fhir+json', 'application/json'),
  text,
)

/** A header that is right most of the time. */
const mostly = (right: string) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(right) },
    { weight: 1, arbitrary: fc.option(anyHeader, { nil: undefined }) },
  )

export const anyInput: fc.Arbitrary<Input> = fc.record({
  level: fc.oneof({ weight: 4, arbitrary: fc.constant('patient' as const) }, fc.constantFrom(...exportLevels)),
  headers: fc.record({
    accept: mostly('application/fhir+json'),
    contentType: mostly('application/json'),
    prefer: fc.oneof(
      { weight: 2, arbitrary: fc.constant(['respond-async']) },
      { weight: 2, arbitrary: fc.constant(['respond-async', 'handling=lenient']) },
      { weight: 1, arbitrary: fc.array(anyHeader, { maxLength: 3 }) },
    ),
  }),
  query: fc.oneof({ weight: 6, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.dictionary(text, text) }),
  base: fc.constant(base),
  body: fc.oneof({ weight: 20, arbitrary: anyBody }, { weight: 1, arbitrary: fc.constant(undefined) }),
})
