import { instant, populationEnd, populationStart } from '../calendar.ts'
import { concept, fixed, snomed, status, terminology } from '../datatypes.ts'
import { acuteDiagnoses, chronicDiagnoses, type Medication } from '../diagnosis.ts'
import { type JsonObject, type Raw, writeMembers } from '../json.ts'
import type { Network, Practitioner, Site } from '../network.ts'
import { Random } from '../random.ts'
import type { PopulationRecord } from '../record.ts'
import { sharedId } from '../record-ids.ts'
import { definition } from './type-definition.ts'

const recordStream = 0x726f6c65
/** Numbers of shared records: beyond those of the others. */
const [roleNumberBase, medicationNumberBase] = [200_000, 300_000]

const doctor = concept(`${terminology}/practitioner-role`, 'doctor', 'Doctor')
const specialties = [
  concept(snomed, '419192003', 'Internal medicine'),
  concept(snomed, '394579002', 'Cardiology'),
  concept(snomed, '394814009', 'General practice'),
  concept(snomed, '773568002', 'Emergency medicine'),
]

/** Every medication that is prescribed, by its code as text. */
const formulary: ReadonlyMap<string, { readonly id: string; readonly medication: Medication }> = new Map(
  [...chronicDiagnoses, ...acuteDiagnoses]
    .flatMap(({ medications }) => medications)
    .map((medication, index) => [medication.code.text, { id: sharedId(medicationNumberBase + index), medication }]),
)

/** The reference of the Medication that is prescribed. */
export const medicationReference = ({ code }: Medication): JsonObject => ({
  reference: `Medication/${formulary.get(code.text)!.id}`,
})

/** Shared records of a population of all types: the roles of those who work there, and what is prescribed. */
export function* widerNetworkRecords(shared: Network, seed: number): Generator<PopulationRecord> {
  const random = new Random(seed, recordStream)
  const record = (type: string, id: string, body: JsonObject): PopulationRecord => {
    const lastUpdated = instant(random.between(populationStart, populationEnd))
    const meta = { versionId: String(random.integer(1, 3)), lastUpdated, profile: definition(type) }
    return { type, id, line: `{"resourceType":"${type}","id":"${id}",${writeMembers({ meta, ...body })}}` }
  }
  let number = roleNumberBase
  for (const site of shared.sites)
    for (const person of site.practitioners)
      yield record('PractitionerRole', sharedId(number++), roleBody(person, site, random))
  for (const { id, medication } of formulary.values()) yield record('Medication', id, medicationBody(medication))
}

function roleBody(person: Practitioner, site: Site, random: Random): JsonObject {
  return {
    active: true,
    practitioner: person.reference,
    organization: person.employer.reference,
    code: [doctor],
    specialty: [random.pick(specialties)],
    location: [random.pick(site.wards).reference],
    telecom: [{ system: 'phone', value: `1-800-555-0${random.integer(100, 199)}`, use: 'work' }],
    availableTime: [
      { daysOfWeek: ['mon', 'wed', 'fri'], availableStartTime: '08:00:00', availableEndTime: '17:30:00' },
    ],
  }
}

const forms: Readonly<Record<string, Raw>> = {
  tablet: concept(snomed, '385055001', 'Tablet'),
  puff: concept(snomed, '420641004', 'Solution for inhalation'),
}
const otherForm = status(snomed, '385023001', 'Oral solution')
const batch = fixed({ lotNumber: 'LOT-0042', expirationDate: '2028-01-31' })

const medicationBody = ({ code, doseUnit }: Medication): JsonObject => ({
  code,
  status: 'active',
  form: forms[doseUnit] ?? otherForm,
  ingredient: [{ itemCodeableConcept: code, isActive: true }],
  batch,
})
