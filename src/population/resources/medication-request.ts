import { date, dateTime, dayMs } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, profile, reference, snomed, status, terminology } from '../datatypes.ts'
import type { Medication } from '../diagnosis.ts'
import { type JsonObject, Raw } from '../json.ts'
import { note } from './note.ts'
import type { Visit } from './visit.ts'

const requestProfile = profile('medicationrequest')
const community = status(`${terminology}/medicationrequest-category`, 'community', 'Community')
const inpatient = status(`${terminology}/medicationrequest-category`, 'inpatient', 'Inpatient')
const oralRoute = concept(snomed, '26643006', 'Oral route (qualifier value)')
const ended = ['stopped', 'completed', 'completed', 'cancelled', 'on-hold']

/** Writes a prescription. `reason` is the reference of the Condition it treats. */
export function writeMedicationRequest(chart: Chart, visit: Visit, medication: Medication, reason: string): void {
  const { random, person, subjectShown, shared } = chart
  const written = dateTime(visit.start, person.town.offsetHours)
  const recent = visit.start > person.seenUntil - 400 * dayMs
  const own = random.chance(0.07)
  const elsewhere = random.chance(0.1)
  const request = chart.add('MedicationRequest', chart.nextId(), visit, requestProfile, {
    contained: own ? [{ resourceType: 'Medication', id: 'med', code: medication.code, status: 'active' }] : [],
    identifier: [{ system: 'urn:oid:2.16.840.1.113883.3.13.7', value: String(random.integer(10_000_000, 99_999_999)) }],
    status: recent ? 'active' : random.pick(ended),
    intent: random.chance(0.9) ? 'order' : 'plan',
    category: [visit.kind.inpatient ? inpatient : community],
    reportedBoolean: elsewhere ? undefined : false,
    reportedReference: elsewhere ? random.pick(shared.pharmacies).reference : undefined,
    ...(own ? { medicationReference: { reference: '#med' } } : { medicationCodeableConcept: medication.code }),
    subject: subjectShown,
    encounter: visit.encounter,
    authoredOn: random.chance(0.9) ? written : date(visit.start),
    requester: visit.by.reference,
    recorder: random.chance(0.2) ? random.pick(visit.site.practitioners).reference : undefined,
    reasonReference: [reference(reason)],
    dosageInstruction: [dosage(medication)],
    dispenseRequest: {
      validityPeriod: { start: written, end: dateTime(visit.start + 365 * dayMs, person.town.offsetHours) },
      numberOfRepeatsAllowed: random.integer(0, 5),
      quantity: { value: new Raw(`${random.integer(1, 9) * 10}.0`), unit: medication.doseUnit },
      performer: random.chance(0.5) ? random.pick(shared.pharmacies).reference : undefined,
    },
    note: note(chart, visit),
  })
  chart.prescriptions.push({ request, medication, visit })
}

function dosage({ sig, timesDaily, dose, doseUnit }: Medication): JsonObject {
  return {
    sequence: 1,
    text: sig,
    timing: { repeat: { frequency: timesDaily, period: new Raw('1.0'), periodUnit: 'd' } },
    asNeededBoolean: false,
    route: oralRoute,
    doseAndRate: [{ doseQuantity: { value: new Raw(dose), unit: doseUnit } }],
  }
}
