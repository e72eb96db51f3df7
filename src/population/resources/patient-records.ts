import { dayMs, populationEnd } from '../calendar.ts'
import { Chart } from '../chart.ts'
import { acuteDiagnoses, type Diagnosis } from '../diagnosis.ts'
import type { Network } from '../network.ts'
import type { PopulationRecord } from '../record.ts'
import type { Seat } from '../seat.ts'
import { writeWider } from '../wider/wider-records.ts'
import { writeAllergies } from './allergy-intolerance.ts'
import { writeCare } from './care.ts'
import { drawDiagnoses, writeConcern, writeIllness, writeProblem } from './condition.ts'
import { writeDevice } from './device.ts'
import { writeDocument } from './document.ts'
import { writeEncounter } from './encounter.ts'
import { writeImmunization } from './immunization.ts'
import { writePanel } from './laboratory.ts'
import { writeMedicationRequest } from './medication-request.ts'
import { monitoring } from './monitoring.ts'
import { writeSocialHistory, writeVitalSigns } from './observation.ts'
import { writePatient } from './patient.ts'
import { writeProcedure } from './procedure.ts'
import { writeProvenances } from './provenance.ts'
import { openVisit, type Visit, visitTimes } from './visit.ts'

/** A lasting diagnosis of the patient by now, with the reference of its Condition. */
interface Known {
  readonly diagnosis: Diagnosis
  readonly condition: string
}

const renewalShare = 0.22
const panelMax = 2

/**
 * All records of one patient: Patient, clinical records by visit, Provenances. They depend on the seed and the seat alone,
 * so any patient can be generated without the others. `previous` is the patient before, to whom a few records refer.
 * `heavyObservations` is how many Observations the heavy patient has. Records of other types, where the population `isWide`, come last: those before
 * them are the same with and without.
 */
export function* patientRecords(
  shared: Network,
  seed: number,
  seat: Seat,
  previous: Seat | undefined,
  heavyObservations: number,
  isWide: boolean,
): Generator<PopulationRecord> {
  const chart = new Chart(shared, seat, seed)
  writePatient(chart, previous)
  yield* chart.drain()
  if (seat.kind === 'bare') return

  const times = visitTimes(chart)
  const diagnoses = drawDiagnoses(chart, times.length)
  const middle = Math.floor(times.length / 2)
  const known: Known[] = []
  let last: Visit | undefined
  for (const [n, time] of times.entries()) {
    const visit = openVisit(chart, time, n === 0)
    const found = diagnoses.filter((drawn) => drawn.visit === n).map((drawn) => drawn.diagnosis)
    writeVisit(chart, visit, found, known, last)
    if (n === 0) writeHistory(chart, visit)
    if (n === middle) writeCourse(chart, visit, known, previous)
    last = visit
    yield* chart.drain()
  }
  if (last === undefined) return
  writeBookings(chart, last)
  if (seat.kind === 'heavy') yield* monitoring(chart, last, heavyObservations - chart.observations)
  writeProvenances(chart, previous)
  yield* chart.drain()
  if (!isWide) return
  const documented = chart.entries.length
  writeWider(chart, previous)
  writeProvenances(chart, undefined, documented)
  yield* chart.drain()
}

/** One visit: the Encounter first, then what was found, measured, done and written down. `known` grows by what was found. */
function writeVisit(
  chart: Chart,
  visit: Visit,
  found: readonly Diagnosis[],
  known: Known[],
  last: Visit | undefined,
): void {
  const { random } = chart
  const { kind } = visit
  chart.visits.push(visit)
  const likely = (share: number): boolean => (last === undefined && chart.seat.kind === 'page') || random.chance(share)
  const ids = found.map(() => chart.nextId())
  const illness = likely(kind.illness) ? chart.nextId() : undefined
  writeEncounter(chart, visit, illness === undefined ? ids : [...ids, illness], last?.id)
  for (const [i, diagnosis] of found.entries()) {
    const condition = writeProblem(chart, visit, ids[i]!, diagnosis, known.length)
    known.push({ diagnosis, condition })
    for (const medication of diagnosis.medications) writeMedicationRequest(chart, visit, medication, condition)
  }
  if (illness !== undefined) treatIllness(chart, visit, illness)
  renew(chart, visit, known)

  if (likely(kind.vitals)) writeVitalSigns(chart, visit)
  if (likely(kind.laboratory)) writePanels(chart, visit, known)
  if (likely(kind.procedure)) writeProcedure(chart, visit, known.length > 0 ? random.pick(known).condition : undefined)
  if (likely(kind.immunization)) writeImmunization(chart, visit)
  if (likely(kind.document)) writeDocument(chart, visit)
}

function treatIllness(chart: Chart, visit: Visit, id: string): void {
  const diagnosis = chart.random.pick(acuteDiagnoses)
  const condition = writeIllness(chart, visit, id, diagnosis)
  for (const medication of diagnosis.medications) writeMedicationRequest(chart, visit, medication, condition)
}

function renew(chart: Chart, visit: Visit, known: readonly Known[]): void {
  for (const { diagnosis, condition } of known) {
    for (const medication of diagnosis.medications) {
      if (chart.random.chance(renewalShare)) writeMedicationRequest(chart, visit, medication, condition)
    }
  }
}

function writePanels(chart: Chart, visit: Visit, known: readonly Known[]): void {
  const wanted = known.flatMap(({ diagnosis }) => diagnosis.panel ?? [])
  const count = chart.random.integer(1, panelMax)
  for (let i = 0; i < count; i++) writePanel(chart, visit, wanted)
}

/** What the first visit asks. */
function writeHistory(chart: Chart, visit: Visit): void {
  writeSocialHistory(chart, visit)
  writeAllergies(chart, visit)
  if (chart.chance(0.35)) writeConcern(chart, visit)
}

/** What a lasting treatment brings: a course of care, sometimes a device. */
function writeCourse(chart: Chart, visit: Visit, known: readonly Known[], previous: Seat | undefined): void {
  const conditions = known.map(({ condition }) => condition)
  if (chart.chance(0.8)) writeCare(chart, visit, conditions, previous)
  if (chart.chance(0.15)) writeDevice(chart, visit)
}

/** Visits that were only booked: cancelled, or still to come. They have an Encounter and nothing else. */
function writeBookings(chart: Chart, last: Visit): void {
  const { random, person } = chart
  const book = (status: Visit['status'], start: number): void => {
    writeEncounter(chart, { ...openVisit(chart, start, false), status, at: last.end }, [], undefined)
  }
  if (random.chance(0.1)) book('cancelled', last.end + 14 * dayMs)
  if (person.died === undefined && random.chance(0.12)) book('planned', populationEnd + random.integer(1, 90) * dayMs)
}
