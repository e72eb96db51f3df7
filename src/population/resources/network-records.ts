import { instant, populationEnd, populationStart, yearMs } from '../calendar.ts'
import { concept, profile, status, terminology } from '../datatypes.ts'
import { type Json, type JsonObject, Raw, writeMembers } from '../json.ts'
import { streets, type Town } from '../names.ts'
import type { Location, Network, Organization, Practitioner, Site } from '../network.ts'
import { Random } from '../random.ts'
import type { PopulationRecord } from '../record.ts'
import { sharedId } from '../record-ids.ts'

const recordStream = 0x73686172
/** Numbers of Provenances about shared records: beyond those of the records themselves. */
const provenanceNumberBase = 100_000

/**
 * The shared records: organisations, places, people, and a few Provenances about them alone,
 * which no export may contain (S-8).
 */
export function* networkRecords(shared: Network, seed: number): Generator<PopulationRecord> {
  const random = new Random(seed, recordStream)
  const add = (type: string, id: string, body: JsonObject): PopulationRecord => {
    const changed = instant(random.between(populationStart - 4 * yearMs, populationEnd))
    const meta = { versionId: String(random.integer(1, 4)), lastUpdated: changed, profile: profile(type.toLowerCase()) }
    return { type, id, line: `{"resourceType":"${type}","id":"${id}",${writeMembers({ meta, ...body })}}` }
  }
  for (const organization of shared.organizations)
    yield add('Organization', organization.id, organizationBody(organization, random))
  for (const site of shared.sites) {
    for (const location of site.locations) yield add('Location', location.id, locationBody(location, site))
  }
  for (const site of shared.sites) {
    for (const person of site.practitioners) yield add('Practitioner', person.id, practitionerBody(person, random))
  }
  let number = provenanceNumberBase
  for (const site of shared.sites) {
    yield add('Provenance', sharedId(number++), provenanceBody(site, [site.hospital.reference], random))
    const person = random.pick(site.practitioners).reference
    const place = random.pick(site.locations).reference
    yield add('Provenance', sharedId(number++), provenanceBody(site, [person, place, site.hospital.reference], random))
  }
}

const organizationTypes: Readonly<Record<Organization['kind'], Raw>> = {
  system: concept(`${terminology}/organization-type`, 'prov', 'Healthcare Provider'),
  hospital: concept(`${terminology}/organization-type`, 'prov', 'Healthcare Provider'),
  department: concept(`${terminology}/organization-type`, 'dept', 'Hospital Department'),
  laboratory: concept(`${terminology}/organization-type`, 'prov', 'Healthcare Provider'),
  pharmacy: concept(`${terminology}/organization-type`, 'prov', 'Healthcare Provider'),
  manufacturer: concept(`${terminology}/organization-type`, 'bus', 'Non-Healthcare Business or Corporation'),
  authority: concept(`${terminology}/organization-type`, 'govt', 'Government'),
  board: concept(`${terminology}/organization-type`, 'govt', 'Government'),
}

const address = (town: Town, line: string): Json => ({
  use: 'work',
  line: [line],
  city: town.city,
  state: town.state,
  postalCode: town.postalCode,
  country: 'US',
})

function npi(random: Random): Json {
  return {
    use: 'official',
    system: 'http://hl7.org/fhir/sid/us-npi',
    value: `1${random.integer(100_000_000, 999_999_999)}`,
  }
}

function organizationBody(organization: Organization, random: Random): JsonObject {
  const { name, town, partOf, kind } = organization
  return {
    identifier: [
      npi(random),
      { system: 'urn:oid:2.16.840.1.113883.4.4', value: `43-${random.integer(1_000_000, 9_999_999)}` },
    ],
    active: true,
    type: [organizationTypes[kind]],
    name,
    alias: partOf && [`${partOf.name}: ${name}`],
    telecom: [{ system: 'phone', value: phone(random), use: 'work' }],
    address: [address(town, `${random.integer(1, 980)} ${random.pick(streets)}`)],
    partOf: partOf?.reference,
  }
}

const physicalTypes: Readonly<Record<Location['kind'], Raw>> = {
  site: status(`${terminology}/location-physical-type`, 'si', 'Site'),
  building: status(`${terminology}/location-physical-type`, 'bu', 'Building'),
  ward: status(`${terminology}/location-physical-type`, 'wa', 'Ward'),
  room: status(`${terminology}/location-physical-type`, 'ro', 'Room'),
}
const locationType = concept(`${terminology}/v3-RoleCode`, 'HOSP', 'Hospital')

function locationBody(location: Location, site: Site): JsonObject {
  const { latitude, longitude } = site.town
  return {
    identifier: [{ system: 'urn:oid:2.16.840.1.113883.3.13.6', value: location.id }],
    status: 'active',
    name: location.name,
    mode: 'instance',
    type: [locationType],
    telecom: [{ system: 'phone', value: '1-800-555-0142', use: 'work' }],
    address: address(site.town, '100 Harbor View Drive'),
    physicalType: physicalTypes[location.kind],
    position: location.kind === 'site' ? { longitude: new Raw(longitude), latitude: new Raw(latitude) } : undefined,
    managingOrganization: location.organization.reference,
    partOf: location.partOf?.reference,
  }
}

const medicalDoctor = concept(`${terminology}/v2-0360`, 'MD', 'Doctor of Medicine')
const languages = [concept('urn:ietf:bcp:47', 'en', 'English'), concept('urn:ietf:bcp:47', 'es', 'Spanish')]

function practitionerBody(person: Practitioner, random: Random): JsonObject {
  const { given, family, gender, employer, board } = person
  const local = `${given}.${family}`.normalize('NFD').replace(/[^A-Za-z.]/g, '')
  return {
    identifier: [
      npi(random),
      { system: 'urn:oid:2.16.840.1.113883.3.13.3', value: `STAFF-${person.id}`, assigner: employer.reference },
    ],
    active: true,
    name: [{ use: 'usual', text: `${family}, ${given}, MD`, family, given: [given], prefix: ['Dr.'], suffix: ['MD'] }],
    telecom: [
      { system: 'phone', value: phone(random), use: 'work', rank: 1 },
      { system: 'email', value: `${local}@clinic.example.org`, use: 'work' },
    ],
    address: [address(employer.town, `${random.integer(1, 980)} ${random.pick(streets)}`)],
    gender,
    qualification: [{ code: medicalDoctor, issuer: board.reference }],
    communication: [random.pick(languages)],
  }
}

const author = status(`${terminology}/provenance-participant-type`, 'author', 'Author')
const update = status(`${terminology}/v3-DataOperation`, 'UPDATE', 'revise')
const upkeep = concept(`${terminology}/v3-ActReason`, 'HOPERAT', 'healthcare operations')

function provenanceBody(site: Site, target: readonly Raw[], random: Random): JsonObject {
  return {
    target,
    recorded: instant(random.between(populationStart, populationEnd)),
    activity: update,
    reason: [upkeep],
    agent: [{ type: author, who: random.pick(site.practitioners).reference, onBehalfOf: site.hospital.reference }],
  }
}

const phone = (random: Random): string => `1-${random.integer(201, 989)}-555-0${random.integer(100, 199)}`
