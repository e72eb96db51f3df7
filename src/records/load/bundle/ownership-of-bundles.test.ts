import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { bundleOf, LoadingStore, newTenant } from '../loading.fixture.ts'

/** How a Condition may name its patient. */
const forms = ['relative', 'fullUrl', 'versioned', 'identifier', 'of another server', 'unknown urn'] as const
/** How a Bundle may identify its patients: by PUT, by POST under a URL, by POST under a URN. */
const requests = ['PUT', 'POST url', 'POST urn', 'plain'] as const

const people = 3
const uuidOf = (number: number, bundle: number) => `00000000-0000-4000-8000-0000000000${bundle}${number}`

interface Spec {
  readonly bundle: number
  readonly request: (typeof requests)[number]
  readonly conditions: readonly { readonly person: number; readonly form: (typeof forms)[number] }[]
}

const spec = fc.record({
  request: fc.constantFrom(...requests),
  conditions: fc.array(fc.record({ person: fc.nat(people - 1), form: fc.constantFrom(...forms) }), {
    minLength: 1,
    maxLength: 6,
  }),
})

/** Patients of one Bundle state the ids 0, 1, 2 with a letter of the Bundle, so that POSTs state what PUTs of others are. */
const statedId = ({ bundle, request }: Spec, person: number): string =>
  request.startsWith('POST') ? `p${person}` : `p${person}-${bundle}`
const rootOf = ({ bundle }: Spec): string => `https://ehr-${bundle}.example.org/fhir`
const isUrn = ({ request }: Spec): boolean => request === 'POST urn'
const fullUrlOf = (one: Spec, person: number): string =>
  isUrn(one) ? `urn:uuid:${uuidOf(person, one.bundle)}` : `${rootOf(one)}/Patient/${statedId(one, person)}`
const nameOf = (one: Spec, person: number): string => `person ${person} of ${one.bundle}`

function referenceOf(one: Spec, person: number, form: (typeof forms)[number]): string {
  switch (form) {
    case 'relative':
      return `Patient/${statedId(one, person)}`
    case 'fullUrl':
      return fullUrlOf(one, person)
    case 'versioned':
      return isUrn(one) ? fullUrlOf(one, person) : `${fullUrlOf(one, person)}/_history/1`
    case 'identifier':
      return `Patient?identifier=mrn|${one.bundle}-${person}`
    case 'of another server':
      return `https://elsewhere.example.org/fhir/Patient/${statedId(one, person)}`
    default:
      return 'urn:uuid:99999999-9999-4999-8999-999999999999'
  }
}

function bundle(one: Spec): object {
  const request = (type: string, id: string) =>
    one.request === 'plain'
      ? {}
      : { request: one.request === 'PUT' ? { method: 'PUT', url: `${type}/${id}` } : { method: 'POST', url: type } }
  const patients = Array.from({ length: people }, (_, person) => ({
    fullUrl: fullUrlOf(one, person),
    resource: {
      resourceType: 'Patient',
      id: statedId(one, person),
      identifier: [{ system: 'mrn', value: `${one.bundle}-${person}` }],
      name: [{ text: nameOf(one, person) }],
    },
    ...request('Patient', statedId(one, person)),
  }))
  const conditions = one.conditions.map(({ person, form }, index) => ({
    fullUrl: isUrn(one)
      ? `urn:uuid:${uuidOf(index, one.bundle).replace(/^0/, 'c')}`
      : `${rootOf(one)}/Condition/c${index}-${one.bundle}`,
    resource: {
      resourceType: 'Condition',
      id: `c${index}-${one.bundle}`,
      subject: { reference: referenceOf(one, person, form) },
      note: [{ text: `${form} ${nameOf(one, person)}` }],
    },
    ...request('Condition', `c${index}-${one.bundle}`),
  }))
  return bundleOf(one.request === 'plain' ? 'collection' : 'transaction', ...conditions, ...patients)
}

describe('the owners of what Bundles bring', () => {
  let store: LoadingStore
  before(async () => {
    store = await LoadingStore.open()
  })
  after(() => store.close())

  it('are the people whom the text of each record means, and nobody where it means none (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(spec, { minLength: 1, maxLength: 4 }), async (specs) => {
        const tenant = newTenant()
        const all = specs.map((one, number) => ({ ...one, bundle: number }))
        // People of the store whom nothing of the Bundles means, with ids that POSTs state.
        const bystanders = Array.from({ length: people }, (_, person) => ({
          resourceType: 'Patient',
          id: `p${person}`,
          name: [{ text: 'bystander' }],
        }))
        const bundles = Object.fromEntries(all.map((one) => [`${one.bundle}.json`, bundle(one)]))
        for (const repeated of [false, true]) {
          const { faults, counts } = await store.load(tenant, { 'a.ndjson': bystanders, ...bundles })
          assert.deepEqual(faults, [])
          if (repeated) assert.deepEqual([counts.created, counts.updated], [0, 0])
          const records = await store.current(tenant)
          const names = new Map([...records].map(([key, { body }]) => [key, JSON.parse(body).name?.[0].text]))
          const conditions = [...records.values()].filter(({ body }) => body.includes('"Condition"'))
          assert.equal(conditions.length, all.flatMap(({ conditions: of }) => of).length)
          for (const { owner, body } of conditions) {
            const [, form, name] = /^(.*) (person .*)$/.exec(JSON.parse(body).note[0].text)!
            const isNobody = form === 'of another server' || form === 'unknown urn'
            assert.equal(owner === '' ? undefined : names.get(`Patient/${owner}`), isNobody ? undefined : name, body)
          }
        }
      }),
      { numRuns: 40, endOnFailure: true },
    )
  })
})
