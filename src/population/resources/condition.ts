import { date, dateTime, dayMs } from '../calendar.ts'
import type { Authorship, Chart } from '../chart.ts'
import { concept, extensions, fixed, profile, snomed, status, terminology } from '../datatypes.ts'
import { chronicDiagnoses, concernsOfAdults, concernsOfAll, type Diagnosis } from '../diagnosis.ts'
import type { Json, JsonObject, Raw } from '../json.ts'
import { pageProblemChanged, pageProblemsMin } from '../page-patients.ts'
import { adultAgeYears, ageAt } from '../person.ts'
import { note, promisedNotes } from './note.ts'
import type { Visit } from './visit.ts'

const problemProfile = profile('condition-problems-health-concerns')
const diagnosisProfile = profile('condition-encounter-diagnosis')
const categorySystem = `${terminology}/condition-category`
const problemListItem = status(categorySystem, 'problem-list-item', 'Problem List Item')
const encounterDiagnosis = status(categorySystem, 'encounter-diagnosis', 'Encounter Diagnosis')
const healthConcern = status(
  'http://hl7.org/fhir/us/core/CodeSystem/condition-category',
  'health-concern',
  'Health Concern',
)

const clinical = (code: string): Raw => status(`${terminology}/condition-clinical`, code)
const active = clinical('active')
const resolved = clinical('resolved')
const settled = [active, active, active, active, clinical('inactive'), clinical('recurrence'), resolved]
const verified = (code: string): Raw => status(`${terminology}/condition-ver-status`, code)
const verifications = [verified('confirmed'), verified('confirmed'), verified('confirmed'), verified('provisional')]
const enteredInError = verified('entered-in-error')
const severities = [
  concept(snomed, '255604002', 'Mild (qualifier value)'),
  concept(snomed, '6736007', 'Moderate (severity modifier) (qualifier value)'),
  concept(snomed, '24484000', 'Severe (severity modifier) (qualifier value)'),
]
const sites = [
  concept(snomed, '7771000', 'Left (qualifier value)'),
  concept(snomed, '24028007', 'Right (qualifier value)'),
]

/** The lasting diagnoses of a patient, each with the number of the visit that made it. */
export function drawDiagnoses(chart: Chart, visits: number): readonly { diagnosis: Diagnosis; visit: number }[] {
  const { random, person, seat } = chart
  const age = ageAt(person, person.seenUntil)
  const drawn = chronicDiagnoses.filter((diagnosis) => age >= diagnosis.fromAgeYears && random.chance(diagnosis.share))
  const least = seat.kind === 'page' ? pageProblemsMin : 1
  for (const diagnosis of chronicDiagnoses) {
    if (drawn.length >= least) break
    if (!drawn.includes(diagnosis)) drawn.push(diagnosis)
  }
  return drawn.map((diagnosis) => ({ diagnosis, visit: random.integer(0, Math.max(0, Math.floor(visits * 0.6) - 1)) }))
}

/** Writes the problem-list Condition of the nth lasting diagnosis (from 0) of the patient. */
export function writeProblem(chart: Chart, visit: Visit, id: string, diagnosis: Diagnosis, n: number): string {
  const { random, seat } = chart
  const changed = seat.kind === 'page' ? pageProblemChanged(n) : undefined
  const written: Authorship = changed === undefined ? visit : { ...visit, at: Math.min(visit.at, changed), changed }
  const both = random.chance(0.06) && seat.kind !== 'page'
  return chart.add('Condition', id, written, problemProfile, {
    ...body(chart, written, random.pick(settled), diagnosis.code),
    category: both ? [problemListItem, encounterDiagnosis] : [problemListItem],
    severity: random.chance(0.2) ? random.pick(severities) : undefined,
    encounter: random.chance(0.8) ? visit.encounter : undefined,
    note: n === 0 ? promisedNotes(chart, visit) : note(chart, visit),
  })
}

/** Writes the Condition of an illness that passes. */
export function writeIllness(chart: Chart, visit: Visit, id: string, diagnosis: Diagnosis): string {
  const { random, person } = chart
  const over = visit.start + random.integer(5, 30) * dayMs
  const past = over < person.seenUntil
  return chart.add('Condition', id, visit, diagnosisProfile, {
    ...body(chart, visit, past ? resolved : active, diagnosis.code),
    category: [encounterDiagnosis],
    bodySite: random.chance(0.1) ? [random.pick(sites)] : [],
    encounter: visit.encounter,
    abatementDateTime: past && random.chance(0.8) ? dateTime(over, person.town.offsetHours) : undefined,
    note: note(chart, visit),
  })
}

/** Writes the Condition of a concern of daily life. */
export function writeConcern(chart: Chart, visit: Visit): string {
  const concerns = ageAt(chart.person, visit.start) < adultAgeYears ? concernsOfAll : concernsOfAdults
  return chart.add('Condition', chart.nextId(), visit, problemProfile, {
    ...body(chart, visit, active, chart.random.pick(concerns)),
    category: [healthConcern],
    encounter: visit.encounter,
    note: note(chart, visit),
  })
}

function body(chart: Chart, { at, by }: Authorship, clinicalStatus: Raw, code: Raw): JsonObject {
  const { random, person, subject, seat } = chart
  // A withdrawn record has no clinical status (con-5). One that has an end must have one (con-4), so it is not withdrawn.
  const mistaken = clinicalStatus === active && seat.kind !== 'page' && random.chance(0.02)
  const recorded = dateTime(at, person.town.offsetHours)
  const asserted = { url: `${extensions}/condition-assertedDate`, valueDateTime: date(at) }
  return {
    extension: random.chance(0.2) ? [asserted] : [],
    clinicalStatus: mistaken ? undefined : clinicalStatus,
    verificationStatus: mistaken ? enteredInError : random.pick(verifications),
    code,
    subject,
    ...onset(chart, at),
    recordedDate: recorded,
    recorder: by.reference,
    asserter: random.chance(0.7) ? by.reference : subject,
  }
}

/** Dates of every precision FHIR allows. */
function onset({ random, person }: Chart, at: number): JsonObject {
  const draw = random.next()
  if (draw < 0.2) return { onsetDateTime: date(at) }
  if (draw < 0.26) return { onsetDateTime: date(at).slice(0, 7) }
  if (draw < 0.3) return { onsetDateTime: date(at).slice(0, 4) }
  if (draw < 0.33) return { _onsetDateTime: unknownOnset }
  return { onsetDateTime: dateTime(at - random.integer(0, 20) * dayMs, person.town.offsetHours) }
}

const unknownOnset: Json = fixed({
  extension: [{ url: `${extensions}/data-absent-reason`, valueCode: 'asked-unknown' }],
})
