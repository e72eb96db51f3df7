import { date, dateTime, yearMs } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, cvx, profile, quantity, status, terminology, unit } from '../datatypes.ts'
import { type Json, Raw } from '../json.ts'
import { ageAt } from '../person.ts'
import { note } from './note.ts'
import type { Visit } from './visit.ts'

const immunizationProfile = profile('immunization')
const vaccine = (code: string, display: string): Raw => concept(cvx, code, display)
const influenza = vaccine('140', 'Influenza, seasonal, injectable, preservative free')
const forAdults = [
  influenza,
  influenza,
  vaccine('113', 'Td (adult), 5 Lf tetanus toxoid, preservative free, adsorbed'),
  vaccine('115', 'Tdap'),
  vaccine('133', 'Pneumococcal conjugate PCV 13'),
  vaccine('187', 'zoster recombinant'),
  vaccine('208', 'COVID-19, mRNA, LNP-S, PF, 30 mcg/0.3 mL dose'),
  vaccine('207', 'COVID-19, mRNA, LNP-S, PF, 100 mcg/0.5mL dose or 50 mcg/0.25mL dose'),
]
const forChildren = [
  influenza,
  vaccine('20', 'DTaP'),
  vaccine('10', 'IPV'),
  vaccine('03', 'MMR'),
  vaccine('21', 'varicella'),
  vaccine('08', 'Hep B, adolescent or pediatric'),
  vaccine('49', 'Hib (PRP-OMP)'),
]
const leftArm = status(`${terminology}/v3-ActSite`, 'LA', 'left arm')
const intramuscular = status(`${terminology}/v3-RouteOfAdministration`, 'IM', 'Injection, intramuscular')
const administering = status(`${terminology}/v2-0443`, 'AP', 'Administering Provider')
const refused = status(`${terminology}/v3-ActReason`, 'PATOBJ', 'patient objection')
const halfMillilitre = quantity(new Raw('0.50'), unit('mL'))
const series = 'Routine series'

/** Writes an immunization of a visit. */
export function writeImmunization(chart: Chart, visit: Visit): void {
  const { random, person, subject, shared } = chart
  const done = random.chance(0.96)
  const maker = random.pick(shared.manufacturers).reference
  chart.add('Immunization', chart.nextId(), visit, immunizationProfile, {
    status: done ? 'completed' : 'not-done',
    statusReason: done ? undefined : refused,
    vaccineCode: random.pick(ageAt(person, visit.start) < 12 ? forChildren : forAdults),
    patient: subject,
    encounter: visit.encounter,
    ...(random.chance(0.95)
      ? { occurrenceDateTime: dateTime(visit.start, person.town.offsetHours) }
      : { occurrenceString: 'in childhood' }),
    primarySource: random.chance(0.9),
    location: random.chance(0.6) ? visit.ward.reference : undefined,
    manufacturer: done ? maker : undefined,
    lotNumber: done ? `LOT${random.integer(10_000, 99_999)}` : undefined,
    expirationDate: done ? date(visit.start + yearMs) : undefined,
    site: done ? leftArm : undefined,
    route: done ? intramuscular : undefined,
    doseQuantity: done ? halfMillilitre : undefined,
    performer: [
      { function: administering, actor: random.chance(0.8) ? visit.by.reference : visit.department.reference },
    ],
    note: note(chart, visit),
    protocolApplied: random.chance(0.3) ? protocol(chart, visit) : [],
  })
}

function protocol({ random }: Chart, visit: Visit): Json[] {
  return [
    {
      series,
      authority: visit.organization.reference,
      doseNumberPositiveInt: random.integer(1, 3),
      seriesDosesPositiveInt: 3,
    },
  ]
}
