import { date, dateTime, hourMs, minuteMs, populationEnd } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { absent, coding, concept, extensions, fixed, profile, reference, terminology, usCore } from '../datatypes.ts'
import { type Json, type JsonObject, Raw } from '../json.ts'
import { familyNames, femaleNames, streets } from '../names.ts'
import { adultAgeYears, ageAt } from '../person.ts'
import type { Seat } from '../seat.ts'

const patientProfile = profile('patient')
const cdcRace = 'urn:oid:2.16.840.1.113883.6.238'

const raceExtension = (code: string, display: string): Raw =>
  fixed({
    url: `${usCore}/us-core-race`,
    extension: [
      { url: 'ombCategory', valueCoding: coding(cdcRace, code, display) },
      { url: 'text', valueString: display },
    ],
  })

const races = [
  raceExtension('2106-3', 'White'),
  raceExtension('2054-5', 'Black or African American'),
  raceExtension('2028-9', 'Asian'),
  raceExtension('1002-5', 'American Indian or Alaska Native'),
  raceExtension('2076-8', 'Native Hawaiian or Other Pacific Islander'),
]

const ethnicity = (code: string, display: string): Raw =>
  fixed({
    url: `${usCore}/us-core-ethnicity`,
    extension: [
      { url: 'ombCategory', valueCoding: coding(cdcRace, code, display) },
      { url: 'text', valueString: display },
    ],
  })

const ethnicities = [ethnicity('2135-2', 'Hispanic or Latino'), ethnicity('2186-5', 'Not Hispanic or Latino')]
const birthSexes = {
  female: fixed({ url: `${usCore}/us-core-birthsex`, valueCode: 'F' }),
  male: fixed({ url: `${usCore}/us-core-birthsex`, valueCode: 'M' }),
}
const neverMarried = concept(`${terminology}/v3-MaritalStatus`, 'S', 'Never Married')
const maritalStatuses = [
  neverMarried,
  concept(`${terminology}/v3-MaritalStatus`, 'M', 'Married'),
  concept(`${terminology}/v3-MaritalStatus`, 'D', 'Divorced'),
  concept(`${terminology}/v3-MaritalStatus`, 'W', 'Widowed'),
]
const languages = [
  concept('urn:ietf:bcp:47', 'en-US', 'English (United States)'),
  concept('urn:ietf:bcp:47', 'es', 'Spanish'),
  concept('urn:ietf:bcp:47', 'vi', 'Vietnamese'),
]
const medicalRecordNumber = concept(`${terminology}/v2-0203`, 'MR', 'Medical Record Number')
const socialSecurityNumber = concept(`${terminology}/v2-0203`, 'SS', 'Social Security Number')
const emergencyContact = concept(`${terminology}/v2-0131`, 'C', 'Emergency Contact')
const masked = absent('masked')
const unknown = absent('unknown')

/** Writes the Patient record. `previous` is the patient before, to whom a few are linked. */
export function writePatient(chart: Chart, previous: Seat | undefined): void {
  const { person, home, doctor, random, seat } = chart
  const linked = previous !== undefined && random.chance(0.01)
  chart.add('Patient', seat.id, registration(chart), patientProfile, {
    text: narrative(chart),
    extension: [random.pick(races), random.pick(ethnicities), birthSexes[person.gender]],
    identifier: identifiers(chart),
    active: person.died === undefined,
    name: names(chart),
    telecom: [
      { system: 'phone', value: `${random.integer(201, 989)}-555-0${random.integer(100, 199)}`, use: 'home' },
      random.chance(0.6) ? { system: 'email', value: `patient.${seat.index}@mail.example.org` } : undefined,
    ],
    gender: person.gender,
    ...birth(chart),
    ...death(chart),
    address: [address(chart)],
    maritalStatus: ageAt(person, populationEnd) < adultAgeYears ? neverMarried : random.pick(maritalStatuses),
    multipleBirthBoolean: random.chance(0.03) ? true : undefined,
    contact: random.chance(0.4) ? [contact(chart)] : [],
    communication: [{ language: random.pick(languages), preferred: true }],
    generalPractitioner: [doctor.reference, random.chance(0.1) ? home.departments[0]?.reference : undefined],
    managingOrganization: home.hospital.reference,
    link: linked ? [{ other: reference(`Patient/${previous.id}`), type: 'seealso' }] : [],
  })
}

function registration({ person, doctor, home, random }: Chart): {
  at: number
  by: typeof doctor
  organization: typeof home.hospital
} {
  return { at: random.between(person.seenFrom, person.seenUntil), by: doctor, organization: home.hospital }
}

function narrative({ person }: Chart): Json {
  const div = `<div xmlns="http://www.w3.org/1999/xhtml"><p><b>${person.display}</b>, ${person.gender}, born ${date(person.birth)}, ${person.town.city}</p></div>`
  return { status: 'generated', div }
}

function identifiers({ seat, home, shared, random }: Chart): readonly Json[] {
  return [
    {
      use: 'usual',
      type: medicalRecordNumber,
      system: 'urn:oid:2.16.840.1.113883.3.13.1',
      value: String(600_000_000 + seat.index),
      assigner: home.hospital.reference,
    },
    {
      use: 'official',
      type: socialSecurityNumber,
      system: 'http://hl7.org/fhir/sid/us-ssn',
      ...(random.chance(0.4)
        ? { _value: masked }
        : { value: `999-${random.integer(10, 99)}-${random.integer(1000, 9999)}` }),
      assigner: shared.authority.reference,
    },
  ]
}

function names({ person, random }: Chart): readonly Json[] {
  const { family, given, middle, display } = person
  const prefix = person.gender === 'female' ? 'Ms.' : 'Mr.'
  const maiden: JsonObject = { use: 'maiden', family: random.pick(familyNames), given: [given] }
  const nameless: JsonObject = { use: 'nickname', _family: unknown, given: [escapedRenee] }
  return [
    { use: 'official', text: display, family, given: [given, middle], prefix: [prefix] },
    random.chance(0.15) ? maiden : undefined,
    random.chance(0.02) ? nameless : undefined,
  ].filter((name) => name !== undefined)
}

const escapedRenee = new Raw(String.raw`"Ren\u00e9e \u201cNe\u201d"`)

function birth({ person, random }: Chart): JsonObject {
  const draw = random.next()
  if (draw < 0.01) return { _birthDate: unknown }
  const born = dateTime(person.birth + 6 * hourMs + random.integer(0, 900) * minuteMs, person.town.offsetHours)
  const time = { extension: [{ url: `${extensions}/patient-birthTime`, valueDateTime: born }] }
  return { birthDate: date(person.birth), _birthDate: draw < 0.3 ? time : undefined }
}

function death({ person, random }: Chart): JsonObject {
  if (person.died !== undefined) return { deceasedDateTime: dateTime(person.died, person.town.offsetHours) }
  return { deceasedBoolean: random.chance(0.5) ? false : undefined }
}

function address({ person, random }: Chart): JsonObject {
  const { city, state, postalCode, latitude, longitude } = person.town
  const parts = [
    { url: 'latitude', valueDecimal: new Raw(latitude) },
    { url: 'longitude', valueDecimal: new Raw(longitude) },
  ]
  return {
    extension: random.chance(0.2) ? [{ url: `${extensions}/geolocation`, extension: parts }] : [],
    use: 'home',
    line: [
      `${random.integer(1, 2400)} ${random.pick(streets)}`,
      random.chance(0.2) ? `Apt ${random.integer(1, 60)}` : undefined,
    ],
    city,
    state,
    postalCode,
    country: 'US',
  }
}

function contact({ person, random, home }: Chart): Json {
  return {
    relationship: [emergencyContact],
    name: { family: person.family, given: [random.pick(femaleNames)] },
    telecom: [{ system: 'phone', value: `${random.integer(201, 989)}-555-0${random.integer(100, 199)}` }],
    organization: random.chance(0.2) ? home.hospital.reference : undefined,
  }
}
