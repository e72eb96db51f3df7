import { bundleOf } from './loading.fixture.ts'

export const a = '00000000-0000-4000-8000-00000000000a'
export const b = '00000000-0000-4000-8000-00000000000b'
export const urn = (id: string) => `urn:uuid:${id}`
export const npi = 'http://hl7.org/fhir/sid/us-npi'
export const patient = (id: string, more: object = {}) => ({ resourceType: 'Patient', id, ...more })
export const about = (reference: string) => ({ subject: { reference } })
export const post = (type: string) => ({ method: 'POST', url: type })
export const practitioner = (id: string, value: string) => ({
  resourceType: 'Practitioner',
  id,
  identifier: [{ system: npi, value }],
})
/** What Synthea writes of a patient: records by URN, practitioners by identifier. */
export const synthea = bundleOf(
  'transaction',
  { fullUrl: urn(a), resource: patient(a), request: post('Patient') },
  {
    fullUrl: urn(b),
    resource: {
      resourceType: 'Encounter',
      id: b,
      ...about(urn(a)),
      participant: [{ individual: { reference: `Practitioner?identifier=${npi}|9` } }],
    },
    request: post('Encounter'),
  },
)
export const providers = bundleOf('batch', {
  fullUrl: urn('00000000-0000-4000-8000-00000000000c'),
  resource: practitioner('00000000-0000-4000-8000-00000000000c', '9'),
  request: { ...post('Practitioner'), ifNoneExist: `identifier=${npi}|9` },
})
