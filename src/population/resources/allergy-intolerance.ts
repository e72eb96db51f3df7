import { date, dateTime, yearMs } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, profile, rxnorm, snomed, status, terminology } from '../datatypes.ts'
import type { Json, Raw } from '../json.ts'
import { note } from './note.ts'
import type { Visit } from './visit.ts'

const allergyProfile = profile('allergyintolerance')
const clinical = (code: string): Raw => status(`${terminology}/allergyintolerance-clinical`, code)
const statuses = [
  clinical('active'),
  clinical('active'),
  clinical('active'),
  clinical('inactive'),
  clinical('resolved'),
]
const verified = (code: string): Raw => status(`${terminology}/allergyintolerance-verification`, code)
const verifications = [verified('confirmed'), verified('confirmed'), verified('unconfirmed')]

const substances: readonly { code: Raw; category: string }[] = [
  { code: concept(snomed, '419474003', 'Allergy to mold (finding)'), category: 'environment' },
  { code: concept(snomed, '418689008', 'Allergy to grass pollen (finding)'), category: 'environment' },
  { code: concept(snomed, '232350006', 'House dust mite allergy (disorder)'), category: 'environment' },
  { code: concept(snomed, '300913006', 'Allergy to shellfish (finding)'), category: 'food' },
  { code: concept(snomed, '91935009', 'Allergy to peanut (finding)'), category: 'food' },
  { code: concept(snomed, '300916003', 'Allergy to latex (finding)'), category: 'environment' },
  { code: concept(snomed, '424213003', 'Allergy to bee venom (finding)'), category: 'biologic' },
  { code: concept(rxnorm, '1191', 'aspirin'), category: 'medication' },
  { code: concept(rxnorm, '10831', 'sulfamethoxazole / trimethoprim'), category: 'medication' },
  { code: concept(rxnorm, '2670', 'codeine'), category: 'medication' },
]
const noKnownAllergy = concept(snomed, '716186003', 'No known allergy (situation)')
const manifestations = [
  concept(snomed, '271807003', 'Eruption of skin (disorder)'),
  concept(snomed, '126485001', 'Urticaria (disorder)'),
  concept(snomed, '422587007', 'Nausea (finding)'),
  concept(snomed, '39579001', 'Anaphylaxis (disorder)'),
  concept(snomed, '49727002', 'Cough (finding)'),
]
const severities = ['mild', 'moderate', 'severe']

/** Writes the allergies of a patient, or that there is none. */
export function writeAllergies(chart: Chart, visit: Visit): void {
  const { random } = chart
  const count = chart.chance(0.45) ? random.integer(1, 3) : 0
  if (count === 0 && random.chance(0.5)) writeAllergy(chart, visit, noKnownAllergy, undefined)
  const first = random.integer(0, substances.length - 1)
  for (let i = 0; i < count; i++) {
    const { code, category } = substances[(first + i) % substances.length]!
    writeAllergy(chart, visit, code, category)
  }
}

function writeAllergy(chart: Chart, visit: Visit, code: Raw, category: string | undefined): void {
  const { random, person, subject } = chart
  const suffered = category !== undefined
  chart.add('AllergyIntolerance', chart.nextId(), visit, allergyProfile, {
    clinicalStatus: suffered ? random.pick(statuses) : statuses[0],
    verificationStatus: random.pick(verifications),
    type: suffered ? random.pick(['allergy', 'intolerance']) : undefined,
    category: suffered ? [category] : [],
    criticality: suffered ? random.pick(['low', 'high', 'unable-to-assess']) : undefined,
    code,
    patient: subject,
    encounter: random.chance(0.6) ? visit.encounter : undefined,
    onsetDateTime: suffered && random.chance(0.4) ? date(visit.start - yearMs).slice(0, 4) : undefined,
    recordedDate: dateTime(visit.start, person.town.offsetHours),
    recorder: visit.by.reference,
    asserter: random.chance(0.5) ? subject : visit.by.reference,
    note: note(chart, visit),
    reaction: suffered ? [reaction(chart, code)] : [],
  })
}

function reaction({ random }: Chart, substance: Raw): Json {
  return {
    substance: random.chance(0.3) ? substance : undefined,
    manifestation: [random.pick(manifestations)],
    severity: random.chance(0.7) ? random.pick(severities) : undefined,
  }
}
