import { dateTime, dayMs, hourMs } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { decimal, reference, status, terminology } from '../datatypes.ts'
import { Raw } from '../json.ts'
import { medicationReference } from './network-roles.ts'
import { definition } from './type-definition.ts'

const community = status(`${terminology}/medicationdispense-category`, 'community', 'Community')
const inpatient = status(`${terminology}/medication-admin-category`, 'inpatient', 'Inpatient')
const firstFill = status(`${terminology}/v3-ActCode`, 'FF', 'First Fill')

const dispensedShare = 0.5
const administeredShare = 0.15
const daysOfSupply = 30

/** Writes MedicationDispenses and MedicationAdministrations of some prescriptions. */
export function writeDispensing(chart: Chart): void {
  const { random, seat } = chart
  for (const [index, prescription] of chart.prescriptions.entries()) {
    const isSure = seat.kind === 'page' && index === 0
    if (isSure || random.chance(dispensedShare)) writeDispense(chart, prescription)
    if (isSure || random.chance(administeredShare)) writeAdministration(chart, prescription)
  }
}

type Prescription = Chart['prescriptions'][number]

function writeDispense(chart: Chart, { request, medication, visit }: Prescription): void {
  const { random, person, shared, subjectShown } = chart
  const pharmacy = random.pick(shared.pharmacies)
  const prepared = visit.end + random.integer(1, 3) * dayMs
  const written = { at: Math.min(prepared, person.seenUntil), by: visit.by, organization: pharmacy }
  chart.add('MedicationDispense', chart.nextId(), written, definition('MedicationDispense'), {
    status: 'completed',
    category: community,
    medicationReference: medicationReference(medication),
    subject: subjectShown,
    context: visit.encounter,
    performer: [{ actor: pharmacy.reference }],
    authorizingPrescription: [reference(request)],
    type: firstFill,
    quantity: { value: decimal(medication.timesDaily * daysOfSupply, 1), unit: medication.doseUnit },
    daysSupply: { value: daysOfSupply, unit: 'days', system: 'http://unitsofmeasure.org', code: 'd' },
    whenPrepared: dateTime(prepared, person.town.offsetHours),
    whenHandedOver: dateTime(prepared + hourMs, person.town.offsetHours),
    dosageInstruction: [{ sequence: 1, text: medication.sig }],
  })
}

function writeAdministration(chart: Chart, { request, medication, visit }: Prescription): void {
  const { person, subjectShown } = chart
  chart.add('MedicationAdministration', chart.nextId(), visit, definition('MedicationAdministration'), {
    status: 'completed',
    category: inpatient,
    medicationReference: medicationReference(medication),
    subject: subjectShown,
    context: visit.encounter,
    effectiveDateTime: dateTime(visit.end - 5 * 60_000, person.town.offsetHours),
    performer: [{ actor: visit.by.reference }],
    request: reference(request),
    dosage: { text: medication.sig, dose: { value: new Raw(medication.dose), unit: medication.doseUnit } },
  })
}
