import { dateTime, localInstant, minuteMs } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, decimal, fixed, loinc, profile, quantity, snomed, status, terminology, unit } from '../datatypes.ts'
import type { JsonObject, Raw } from '../json.ts'
import { adultAgeYears, ageAt } from '../person.ts'
import { note } from './note.ts'
import { type Measure, measure } from './panel.ts'
import type { Visit } from './visit.ts'

const category = (code: string, display: string): Raw =>
  fixed([status(`${terminology}/observation-category`, code, display)])
const vitalSigns = category('vital-signs', 'Vital Signs')
export const laboratoryCategory = category('laboratory', 'Laboratory')
const socialHistory = category('social-history', 'Social History')
const survey = category('survey', 'Survey')

const interpretation = (code: string, display: string): Raw =>
  fixed([status(`${terminology}/v3-ObservationInterpretation`, code, display)])
const high = interpretation('H', 'High')
const low = interpretation('L', 'Low')
const normal = interpretation('N', 'Normal')
const unmeasured = concept(`${terminology}/data-absent-reason`, 'not-performed', 'Not Performed')

const percent = unit('%')
const perMinute = unit('/min')
const mercury = unit('mm[Hg]')
const heartRate = measure('8867-4', 'Heart rate', perMinute, 55, 100, 0)
const respiration = measure('9279-1', 'Respiratory rate', perMinute, 12, 20, 0)
const temperature = measure('8310-5', 'Body temperature', unit('degF', '[degF]'), 97, 99.5, 2)
const saturation = measure('59408-5', 'Oxygen saturation in Arterial blood by Pulse oximetry', percent, 94, 100, 0)
const weight = measure('29463-7', 'Body weight', unit('kg'), 52, 98, 2)
const height = measure('8302-2', 'Body height', unit('cm'), 152, 188, 1)
const massIndex = measure('39156-5', 'Body mass index (BMI) [Ratio]', unit('kg/m2'), 18.5, 32, 2)
const pain = measure(
  '72514-3',
  'Pain severity - 0-10 verbal numeric rating [Score] - Reported',
  unit('{score}'),
  0,
  4,
  0,
)
const moodScore = measure(
  '44261-6',
  'Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]',
  unit('{score}'),
  0,
  9,
  0,
)

const vitals: readonly { measure: Measure; profile: Raw; share: number }[] = [
  { measure: heartRate, profile: profile('heart-rate'), share: 0.95 },
  { measure: respiration, profile: profile('respiratory-rate'), share: 0.7 },
  { measure: temperature, profile: profile('body-temperature'), share: 0.6 },
  { measure: saturation, profile: profile('pulse-oximetry'), share: 0.4 },
  { measure: weight, profile: profile('body-weight'), share: 0.8 },
  { measure: height, profile: profile('body-height'), share: 0.35 },
  { measure: massIndex, profile: profile('bmi'), share: 0.35 },
]

const bloodPressure = concept(loinc, '85354-9', 'Blood pressure panel with all children optional')
const bloodPressureProfile = profile('blood-pressure')
const systolic = concept(loinc, '8480-6', 'Systolic blood pressure')
const diastolic = concept(loinc, '8462-4', 'Diastolic blood pressure')
const askedFromAgeYears = 12
const smokingProfile = profile('smokingstatus')
const smoking = concept(loinc, '72166-2', 'Tobacco smoking status')
const smokingAnswers = [
  concept(snomed, '266919005', 'Never smoked tobacco (finding)'),
  concept(snomed, '266919005', 'Never smoked tobacco (finding)'),
  concept(snomed, '8517006', 'Ex-smoker (finding)'),
  concept(snomed, '449868002', 'Smokes tobacco daily (finding)'),
]
const surveyProfile = profile('observation-screening-assessment')
const occupationProfile = profile('observation-occupation')
const occupation = concept(loinc, '11341-5', 'History of Occupation')
const occupations = [
  'Baker',
  'Carpenter',
  'Teacher, retired',
  'Bus driver',
  'Software tester',
  'Farmer (dairy)',
  'Nurse’s aide',
]

/** Writes the vital signs of a visit. */
export function writeVitalSigns(chart: Chart, visit: Visit): void {
  const { random } = chart
  const age = ageAt(chart.person, visit.start)
  if (age >= 3) writeBloodPressure(chart, visit)
  for (const vital of vitals) {
    if (random.chance(vital.share)) writeMeasured(chart, visit, atAge(vital.measure, age), vitalSigns, vital.profile)
  }
  if (random.chance(0.3)) writeMeasured(chart, visit, pain, survey, surveyProfile)
}

/** What is usual at an age: children are smaller and their hearts beat faster. */
function atAge(what: Measure, age: number): Measure {
  if (age >= adultAgeYears) return what
  const { range, ...rest } = what
  if (what === weight) return { ...rest, low: 3 + age * 2.4, high: 4.2 + age * 3.9 }
  if (what === height) return { ...rest, low: 49 + age * 6.2, high: 54 + age * 7.2 }
  if (what === massIndex) return { ...rest, low: 13.5, high: 21 }
  return what === heartRate && age < 3 ? { ...rest, low: 90, high: 150 } : what
}

/** Writes what is asked rather than measured: smoking, work, mood. Young children are not asked. */
export function writeSocialHistory(chart: Chart, visit: Visit): void {
  const { random, person } = chart
  const age = ageAt(person, visit.start)
  if (age < askedFromAgeYears) return
  const value = { valueCodeableConcept: random.pick(smokingAnswers) }
  chart.add('Observation', chart.nextId(), visit, smokingProfile, body(chart, visit, smoking, socialHistory, value))
  if (age >= adultAgeYears && random.chance(0.3)) {
    const work = { valueString: random.pick(occupations) }
    chart.add(
      'Observation',
      chart.nextId(),
      visit,
      occupationProfile,
      body(chart, visit, occupation, socialHistory, work),
    )
  }
  if (random.chance(0.3)) writeMeasured(chart, visit, moodScore, survey, surveyProfile)
}

/** Writes one measured value and returns its reference. A few values are missing, with the reason. */
export function writeMeasured(chart: Chart, visit: Visit, what: Measure, kind: Raw, profiles: Raw): string {
  const missing = chart.random.chance(0.01)
  const value = missing ? { dataAbsentReason: unmeasured } : measured(chart, what)
  return chart.add('Observation', chart.nextId(), visit, profiles, body(chart, visit, what.code, kind, value))
}

/** Writes one coded or oddly written value and returns its reference. */
export function writeValue(chart: Chart, visit: Visit, code: Raw, kind: Raw, profiles: Raw, value: JsonObject): string {
  return chart.add('Observation', chart.nextId(), visit, profiles, body(chart, visit, code, kind, value))
}

function measured({ random }: Chart, what: Measure): JsonObject {
  const margin = (what.high - what.low) * 0.2
  const value = random.between(Math.max(0, what.low - margin), what.high + margin)
  const judged = value > what.high ? high : value < what.low ? low : normal
  return {
    valueQuantity: quantity(decimal(value, what.places), what.unitMembers),
    interpretation: random.chance(0.7) ? judged : undefined,
    referenceRange: random.chance(0.5) ? what.range : undefined,
  }
}

function writeBloodPressure(chart: Chart, visit: Visit): void {
  const { random } = chart
  const upper = quantity(decimal(random.between(95, 165), 0), mercury)
  const lower = quantity(decimal(random.between(58, 100), 0), mercury)
  const half = random.chance(0.01)
  const value = {
    component: [
      { code: systolic, valueQuantity: upper },
      half ? { code: diastolic, dataAbsentReason: unmeasured } : { code: diastolic, valueQuantity: lower },
    ],
  }
  const id = chart.nextId()
  chart.add('Observation', id, visit, bloodPressureProfile, body(chart, visit, bloodPressure, vitalSigns, value))
}

const statuses = ['final', 'final', 'final', 'final', 'final', 'final', 'amended', 'corrected', 'preliminary']

function body(chart: Chart, visit: Visit, code: Raw, kind: Raw, value: JsonObject): JsonObject {
  const { random, person, subject } = chart
  const at = visit.start + random.integer(1, 12) * minuteMs
  const { offsetHours } = person.town
  return {
    identifier: random.chance(0.1)
      ? [{ system: 'urn:oid:2.16.840.1.113883.3.13.4', value: visit.id, assigner: visit.organization.reference }]
      : [],
    status: random.chance(0.9) ? 'final' : random.pick(statuses),
    category: kind,
    code,
    subject,
    encounter: visit.encounter,
    effectiveDateTime: dateTime(at, offsetHours),
    issued: localInstant(at + random.integer(0, 59_999), offsetHours),
    performer: [random.chance(0.75) ? visit.by.reference : visit.department.reference],
    ...value,
    note: note(chart, visit),
  }
}
