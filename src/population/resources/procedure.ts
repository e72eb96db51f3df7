import { dateTime, minuteMs } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, profile, reference, snomed } from '../datatypes.ts'
import type { Json, Raw } from '../json.ts'
import { note } from './note.ts'
import type { Visit } from './visit.ts'

const procedureProfile = profile('procedure')
const codes: readonly Raw[] = [
  concept(snomed, '430193006', 'Medication reconciliation (procedure)'),
  concept(snomed, '710824005', 'Assessment of health and social care needs (procedure)'),
  concept(snomed, '171207006', 'Depression screening (procedure)'),
  concept(snomed, '29303009', 'Electrocardiographic procedure (procedure)'),
  concept(snomed, '127783003', 'Spirometry (procedure)'),
  concept(snomed, '399208008', 'Plain X-ray of chest (procedure)'),
  concept(snomed, '73761001', 'Colonoscopy (procedure)'),
  concept(snomed, '40701008', 'Echocardiography (procedure)'),
  concept(snomed, '288086009', 'Suture open wound (procedure)'),
]
const performerRole = concept(snomed, '17561000', 'Cardiologist (occupation)')
const arm = concept(snomed, '40983000', 'Structure of upper arm (body structure)')
const statuses = ['not-done', 'in-progress', 'stopped']
const notDone = concept(snomed, '105480006', 'Refusal of treatment by patient (situation)')

/** Writes a procedure of a visit. `reason` is the reference of a Condition, when there is one. */
export function writeProcedure(chart: Chart, visit: Visit, reason: string | undefined): void {
  const { random, person, subject } = chart
  const start = visit.start + random.integer(2, 10) * minuteMs
  const at = dateTime(start, person.town.offsetHours)
  const end = dateTime(start + random.integer(10, 90) * minuteMs, person.town.offsetHours)
  const status = random.chance(0.95) ? 'completed' : random.pick(statuses)
  const elsewhere = random.chance(0.15)
  chart.add('Procedure', chart.nextId(), visit, procedureProfile, {
    status,
    statusReason: status === 'not-done' ? notDone : undefined,
    code: random.pick(codes),
    subject,
    encounter: visit.encounter,
    ...(random.chance(0.6) ? { performedPeriod: { start: at, end } } : { performedDateTime: at }),
    recorder: random.chance(0.3) ? visit.by.reference : undefined,
    asserter: random.chance(0.1) ? visit.by.reference : undefined,
    performer: performer(chart, visit, elsewhere),
    location: random.chance(0.5) ? visit.ward.reference : undefined,
    reasonReference: reason !== undefined && random.chance(0.5) ? [reference(reason)] : [],
    bodySite: random.chance(0.1) ? [arm] : [],
    note: note(chart, visit),
  })
}

function performer({ random, shared }: Chart, visit: Visit, elsewhere: boolean): Json[] {
  const onBehalfOf = random.chance(0.2) ? visit.department.reference : undefined
  const actor = elsewhere ? random.pick(shared.laboratories).reference : visit.by.reference
  return [{ function: random.chance(0.1) ? performerRole : undefined, actor, onBehalfOf }]
}
