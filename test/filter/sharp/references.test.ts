import { describe } from 'node:test'
import { type Bodies, base, type Row, sharp, unknown } from './sharp.fixture.ts'

const uuid = 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0'
const to = (reference: string) => ({ performer: [{ reference }] })

const performers: Bodies = {
  relative: to('Practitioner/1'),
  absolute: to(`${base}/Practitioner/1`),
  versioned: to('Practitioner/1/_history/3'),
  elsewhere: to('https://other.example/fhir/Practitioner/1'),
  later: to('https://other.example/fhir/Practitioner/1/_history/3'),
  organization: to('Organization/1'),
  longer: to('Practitioner/11'),
  contained: to('#1'),
  urn: to(uuid),
  conditional: to('Practitioner?identifier=http://a.example|1'),
  logical: { performer: [{ type: 'Practitioner', identifier: { system: 'http://a.example', value: '1' } }] },
  named: { performer: [{ display: 'Dr 1' }] },
  second: { performer: [{ display: 'x' }, { reference: 'Practitioner/1' }] },
  unknown: { performer: [unknown] },
  none: {},
}

const rows: readonly Row[] = [
  ['an id: our records of any type', 'performer=1', 'relative absolute versioned organization second'],
  ['Type/id', 'performer=Practitioner/1', 'relative absolute versioned second'],
  ['absolute under our base', `performer=${base}/Practitioner/1`, 'relative absolute versioned second'],
  ['absolute elsewhere, any version', 'performer=https://other.example/fhir/Practitioner/1', 'elsewhere later'],
  ['a version', 'performer=Practitioner/1/_history/3', 'versioned'],
  ['a version under our base', `performer=${base}/Practitioner/1/_history/3`, 'versioned'],
  ['a version elsewhere', 'performer=https://other.example/fhir/Practitioner/1/_history/3', 'later'],
  ['another version', 'performer=Practitioner/1/_history/2', ''],
  ['a type as modifier', 'performer:Practitioner=1', 'relative absolute versioned second'],
  ['a type twice', 'performer:Practitioner=Practitioner/1', 'relative absolute versioned second'],
  ['another type', 'performer:Organization=1', 'organization'],
  ['a urn', `performer=${uuid}`, 'urn'],
  ['a logical reference', 'performer:identifier=http://a.example|1', 'logical'],
  ['a logical reference, any system', 'performer:identifier=1', 'logical'],
  ['a logical reference without system', 'performer:identifier=|1', ''],
  ['a list', `performer=Organization/1,${uuid}`, 'organization urn'],
  ['a reference with any value is there', 'performer:missing=true', 'unknown none'],
  ['an id that is the end of another', 'performer=11', 'longer'],
]

describe('references', () => {
  sharp('Observation', performers, rows)
  sharp(
    'Encounter',
    {
      doctor: { participant: [{ individual: { reference: 'Practitioner/1' } }] },
      relative: { participant: [{ individual: { reference: 'RelatedPerson/1' } }] },
      both: {
        participant: [
          { individual: { reference: 'RelatedPerson/1' } },
          { individual: { reference: 'Practitioner/2' } },
        ],
      },
      far: { participant: [{ individual: { reference: 'https://other.example/Practitioner/1/_history/1' } }] },
      contained: { participant: [{ individual: { reference: '#1' } }] },
    },
    [
      ['where(resolve() is Practitioner)', 'practitioner=1', 'doctor'],
      ['only of that type', 'practitioner=RelatedPerson/1', ''],
      ['in any participant', 'practitioner=2', 'both'],
      ['the type of a foreign one stands in its URL', 'practitioner:missing=false', 'doctor both far'],
      ['participant has no such limit', 'participant=1', 'doctor relative both'],
    ],
  )
  sharp(
    'Condition',
    {
      person: { subject: { reference: 'Patient/1' } },
      group: { subject: { reference: 'Group/1' } },
      logical: { subject: { type: 'Patient', identifier: { value: '1' } } },
    },
    [
      ['patient is a subject that is a Patient', 'patient=1', 'person'],
      ['subject is any', 'subject=1', 'person group'],
      ['a logical reference tells its type', 'patient:identifier=1', 'logical'],
      ['missing', 'patient:missing=true', 'group'],
    ],
  )
})

describe('canonicals and uris', () => {
  const plan = (...urls: string[]) => ({ instantiatesCanonical: urls, instantiatesUri: urls })
  sharp(
    'CarePlan',
    {
      bare: plan('http://acme.example/Plan'),
      first: plan('http://acme.example/Plan|1.0'),
      second: plan('urn:oid:1.2.3', 'http://acme.example/Plan|2.0'),
      child: plan('http://acme.example/Plan/child'),
      sibling: plan('http://acme.example/Planned'),
      root: plan('http://acme.example'),
      upper: plan('http://ACME.example/Plan'),
    },
    [
      ['a canonical without version: any', 'instantiates-canonical=http://acme.example/Plan', 'bare first second'],
      ['a canonical with version', 'instantiates-canonical=http://acme.example/Plan|1.0', 'first'],
      ['an encoded |', 'instantiates-canonical=http://acme.example/Plan%7C2.0', 'second'],
      ['an escaped |', 'instantiates-canonical=http://acme.example/Plan\\|2.0', 'second'],
      ['a version is not a prefix', 'instantiates-canonical=http://acme.example/Plan|1', ''],
      ['a uri is exact', 'instantiates-uri=http://acme.example/Plan', 'bare'],
      ['case counts', 'instantiates-uri=http://ACME.example/Plan', 'upper'],
      ['a urn', 'instantiates-uri=urn:oid:1.2.3', 'second'],
      [':below: what it begins', 'instantiates-uri:below=http://acme.example/Plan/', 'child'],
      [
        ':below is left matching (R4)',
        'instantiates-uri:below=http://acme.example/Plan',
        'bare first second child sibling',
      ],
      [':above: what begins it', 'instantiates-uri:above=http://acme.example/Plan/child/1', 'bare child root'],
      ['an encoded uri', 'instantiates-uri=http%3A%2F%2Facme.example%2FPlan', 'bare'],
    ],
  )
  const url = 'http://acme.example/Plan'
  sharp(
    'PlanDefinition',
    {
      canonical: { action: [{ definitionCanonical: `${url}|1.0` }] },
      uri: { action: [{ definitionUri: url }] },
      other: { action: [{ definitionUri: `${url}/child` }] },
    },
    [
      ['a reference may be a canonical or a uri', `definition=${url}`, 'canonical uri'],
      ['a uri has no version', `definition=${url}|1.0`, 'canonical'],
      ['both are values', 'definition:missing=true', ''],
    ],
  )
})
