import { date, dateTime, dayMs } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, fixed, loinc, profile, quantity, reference, snomed, status, terminology, unit } from '../datatypes.ts'
import { type Json, Raw } from '../json.ts'
import type { Seat } from '../seat.ts'
import { note } from './note.ts'
import type { Visit } from './visit.ts'

const teamProfile = profile('careteam')
const planProfile = profile('careplan')
const goalProfile = profile('goal')

const patientRole = concept(snomed, '116154003', 'Patient (person)')
const professional = concept(snomed, '223366009', 'Healthcare professional (occupation)')
const services = concept(snomed, '224891009', 'Healthcare services (qualifier value)')
const relative = concept(snomed, '125677006', 'Relative (person)')
const longitudinal = status(loinc, 'LA27976-2', 'Encounter-focused care team')

const assessPlan = status('http://hl7.org/fhir/us/core/CodeSystem/careplan-category', 'assess-plan')
const plans = [
  concept(snomed, '698360004', 'Diabetes self management plan (record artifact)'),
  concept(snomed, '443402002', 'Lifestyle education regarding hypertension (procedure)'),
  concept(snomed, '736285004', 'Hyperlipidemia clinical management plan (record artifact)'),
  concept(snomed, '699728000', 'Asthma self management (procedure)'),
  concept(snomed, '408869004', 'Musculoskeletal care (regime/therapy)'),
]
const activities = [
  concept(snomed, '229065009', 'Exercise therapy (regime/therapy)'),
  concept(snomed, '160670007', 'Diabetic diet (finding)'),
  concept(snomed, '225323000', 'Smoking cessation education (procedure)'),
  concept(snomed, '183063000', 'Low salt diet education (procedure)'),
  concept(snomed, '413473000', 'Counseling about alcohol consumption (procedure)'),
]
const activityStatuses = ['in-progress', 'not-started', 'completed', 'scheduled']

const goalKinds: readonly { text: string; category: Raw; measure: Raw; value: Raw }[] = [
  {
    text: 'Hemoglobin A1c below 7.0 %',
    category: status(`${terminology}/goal-category`, 'nursing', 'Nursing'),
    measure: concept(loinc, '4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood'),
    value: quantity(new Raw('7.0'), unit('%')),
  },
  {
    text: 'Weight below 80.50 kg',
    category: status(`${terminology}/goal-category`, 'dietary', 'Dietary'),
    measure: concept(loinc, '29463-7', 'Body weight'),
    value: quantity(new Raw('80.50'), unit('kg')),
  },
  {
    text: 'Systolic pressure below 130 mmHg',
    category: status(`${terminology}/goal-category`, 'behavioral', 'Behavioral'),
    measure: concept(loinc, '8480-6', 'Systolic blood pressure'),
    value: quantity(new Raw('130'), unit('mm[Hg]')),
  },
]
const goalStatuses = ['active', 'active', 'accepted', 'completed', 'on-hold']
const achievements = [
  status(`${terminology}/goal-achievement`, 'in-progress', 'In Progress'),
  status(`${terminology}/goal-achievement`, 'achieved', 'Achieved'),
]
const priority = fixed({ coding: [{ system: `${terminology}/goal-priority`, code: 'medium-priority' }] })

/**
 * Writes one course of care: the team, one or two goals, and the plan that names them and the problems it addresses.
 * A few teams have another patient as a member; the records still belong to their subject only.
 */
export function writeCare(chart: Chart, visit: Visit, problems: readonly string[], previous: Seat | undefined): void {
  const team = writeTeam(chart, visit, previous)
  const goals = [writeGoal(chart, visit, problems)]
  if (chart.random.chance(0.4)) goals.push(writeGoal(chart, visit, problems))
  writePlan(chart, visit, problems, team, goals)
}

function writeTeam(chart: Chart, visit: Visit, previous: Seat | undefined): string {
  const { random, person, subject, subjectShown } = chart
  const { offsetHours } = person.town
  const participant: Json[] = [
    { role: [patientRole], member: subjectShown },
    { role: [professional], member: visit.by.reference, onBehalfOf: visit.organization.reference },
    { role: [services], member: visit.department.reference },
  ]
  if (previous !== undefined && random.chance(0.02)) {
    participant.push({ role: [relative], member: reference(`Patient/${previous.id}`) })
  }
  return chart.add('CareTeam', chart.nextId(), visit, teamProfile, {
    status: random.chance(0.8) ? 'active' : 'inactive',
    category: [longitudinal],
    name: `Care team of ${person.display}`,
    subject,
    encounter: random.chance(0.7) ? visit.encounter : undefined,
    period: { start: dateTime(visit.start, offsetHours) },
    participant,
    managingOrganization: [visit.organization.reference],
    note: note(chart, visit),
  })
}

function writeGoal(chart: Chart, visit: Visit, problems: readonly string[]): string {
  const { random, subject } = chart
  const { text, category, measure, value } = random.pick(goalKinds)
  return chart.add('Goal', chart.nextId(), visit, goalProfile, {
    lifecycleStatus: random.pick(goalStatuses),
    achievementStatus: random.pick(achievements),
    category: [category],
    priority,
    description: { text },
    subject,
    startDate: date(visit.start),
    target: [{ measure, detailQuantity: value, dueDate: date(visit.start + random.integer(60, 400) * dayMs) }],
    expressedBy: random.chance(0.6) ? visit.by.reference : subject,
    addresses: problems.slice(0, 1).map((target) => reference(target)),
    note: note(chart, visit),
  })
}

function writePlan(
  chart: Chart,
  visit: Visit,
  problems: readonly string[],
  team: string,
  goals: readonly string[],
): void {
  const { random, person, subject } = chart
  const { offsetHours } = person.town
  const kind = random.pick(plans)
  const div = `<div xmlns="http://www.w3.org/1999/xhtml"><p>Plan for ${person.display}:</p><ul><li>${random.pick(goalKinds).text.replace('<', '&lt;')}</li></ul></div>`
  chart.add('CarePlan', chart.nextId(), visit, planProfile, {
    text: { status: 'generated', div },
    status: random.chance(0.7) ? 'active' : 'completed',
    intent: random.chance(0.8) ? 'order' : 'plan',
    category: [assessPlan, kind],
    subject,
    encounter: visit.encounter,
    period: { start: dateTime(visit.start, offsetHours) },
    created: date(visit.start),
    author: visit.by.reference,
    contributor: random.chance(0.2) ? [random.pick(visit.site.practitioners).reference] : [],
    careTeam: [reference(team)],
    addresses: problems.slice(0, 3).map((target) => reference(target)),
    goal: goals.map((target) => reference(target)),
    activity: [activity(chart, visit), activity(chart, visit)],
    note: note(chart, visit),
  })
}

function activity({ random }: Chart, visit: Visit): Json {
  return {
    detail: {
      kind: 'ServiceRequest',
      code: random.pick(activities),
      status: random.pick(activityStatuses),
      location: random.chance(0.5) ? visit.ward.reference : undefined,
      performer: random.chance(0.5) ? [visit.by.reference] : [],
    },
  }
}
