import { dateTime, minuteMs } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, extensions, fixed, profile, reference, snomed, status, terminology } from '../datatypes.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Visit } from './visit.ts'

const encounterProfile = profile('encounter')
const primaryPerformer = concept(`${terminology}/v3-ParticipationType`, 'PPRF', 'primary performer')
const attender = concept(`${terminology}/v3-ParticipationType`, 'ATND', 'attender')
const hospitalWard = fixed({
  coding: [{ system: `${terminology}/location-physical-type`, code: 'wa', display: 'Ward' }],
})
const routine = status(`${terminology}/v3-ActPriority`, 'R', 'routine')
const emergency = status(`${terminology}/v3-ActPriority`, 'EM', 'emergency')
const fromEmergency = status(`${terminology}/admit-source`, 'emd', 'From accident/emergency department')
const dischargedHome = concept(`${terminology}/discharge-disposition`, 'home', 'Home')
const dischargedToCare = concept(`${terminology}/discharge-disposition`, 'snf', 'Skilled nursing facility')
const admissionDiagnosis = status(`${terminology}/diagnosis-role`, 'AD', 'Admission diagnosis')
const reasons = [
  concept(snomed, '267036007', 'Dyspnea (finding)'),
  concept(snomed, '25064002', 'Headache (finding)'),
  concept(snomed, '22253000', 'Pain (finding)'),
  concept(snomed, '49727002', 'Cough (finding)'),
  concept(snomed, '386661006', 'Fever (finding)'),
]

/** Writes the Encounter of a visit. `diagnoses` are ids of the Conditions that the visit found; `previous` is the id of the Encounter before. */
export function writeEncounter(
  chart: Chart,
  visit: Visit,
  diagnoses: readonly string[],
  previous: string | undefined,
): void {
  const { random, person, subjectShown } = chart
  const { kind, start, end, by, site } = visit
  const open = visit.status === 'in-progress' || visit.status === 'planned'
  const period = {
    start: dateTime(start, person.town.offsetHours),
    end: open ? undefined : dateTime(end, person.town.offsetHours),
  }
  const place = placement(chart, visit)
  chart.add('Encounter', visit.id, visit, encounterProfile, {
    contained: place.contained,
    extension: extension(chart, previous),
    identifier: [
      {
        use: 'official',
        system: 'urn:oid:2.16.840.1.113883.3.13.2',
        value: visit.id,
        assigner: site.hospital.reference,
      },
    ],
    status: visit.status,
    class: kind.class,
    type: [kind.type],
    priority: kind.inpatient || kind.minutes[1] > 600 ? emergency : routine,
    subject: subjectShown,
    participant: [
      { type: [primaryPerformer], period, individual: by.reference },
      random.chance(0.2) ? { type: [attender], individual: random.pick(site.practitioners).reference } : undefined,
    ],
    period,
    length: open
      ? undefined
      : { value: Math.round((end - start) / minuteMs), unit: 'min', system: 'http://unitsofmeasure.org', code: 'min' },
    reasonCode: random.chance(0.5) ? [random.pick(reasons)] : [],
    diagnosis: diagnoses.map((id, i) => ({
      condition: reference(`Condition/${id}`),
      use: admissionDiagnosis,
      rank: i + 1,
    })),
    hospitalization: kind.inpatient ? hospitalization(chart, visit) : undefined,
    location: place.location,
    serviceProvider: random.chance(0.7) ? site.hospital.reference : visit.department.reference,
  })
}

/** Most places are shared Locations. Some are contained, some are text only: those must not bring a Location into an export. */
function placement({ random }: Chart, { ward, site, start, end }: Visit): { contained: Json[]; location: Json[] } {
  const form = random.next()
  if (form < 0.08) {
    const bed = `Bed ${random.integer(1, 40)}`
    const contained = {
      resourceType: 'Location',
      id: 'loc',
      status: 'active',
      name: `${ward.name}, ${bed}`,
      mode: 'instance',
      physicalType: hospitalWard,
      managingOrganization: site.hospital.reference,
    }
    return {
      contained: [contained],
      location: [{ location: { reference: '#loc', display: bed }, status: 'completed' }],
    }
  }
  if (form < 0.12) return { contained: [], location: [{ location: { display: 'At the scene' } }] }
  if (form < 0.15) {
    const logical = { identifier: { system: 'urn:oid:2.16.840.1.113883.3.13.6', value: ward.id }, type: 'Location' }
    return { contained: [], location: [{ location: logical }] }
  }
  const room = random.chance(0.3) ? random.pick(site.locations) : ward
  const during: JsonObject = { start: dateTime(start, 0), end: dateTime(end, 0) }
  return { contained: [], location: [{ location: room.reference, status: 'completed', period: during }] }
}

function extension({ random }: Chart, previous: string | undefined): Json[] {
  if (previous === undefined || !random.chance(0.06)) return []
  return [{ url: `${extensions}/encounter-associatedEncounter`, valueReference: reference(`Encounter/${previous}`) }]
}

function hospitalization({ random, shared }: Chart, { site }: Visit): JsonObject {
  const elsewhere = random.pick(shared.sites)
  return {
    origin: random.chance(0.3) ? elsewhere.locations[0]?.reference : undefined,
    admitSource: fromEmergency,
    destination: random.chance(0.4) ? elsewhere.hospital.reference : site.locations[1]?.reference,
    dischargeDisposition: random.chance(0.8) ? dischargedHome : dischargedToCare,
  }
}
