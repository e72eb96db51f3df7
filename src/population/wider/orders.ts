import { dateTime, hourMs } from '../calendar.ts'
import type { Chart, Entry } from '../chart.ts'
import { coding, concept, loinc, reference, snomed, status, terminology } from '../datatypes.ts'
import type { JsonObject, Raw } from '../json.ts'
import type { Visit } from '../resources/visit.ts'
import { definition } from './type-definition.ts'

const laboratory = concept(snomed, '108252007', 'Laboratory procedure')
const imaging = concept(snomed, '363679005', 'Imaging')
const panel = concept(loinc, '24323-8', 'Comprehensive metabolic 2000 panel - Serum or Plasma')
const blood = concept(snomed, '119297000', 'Blood specimen')
const urine = concept(snomed, '122575003', 'Urine specimen')
const venipuncture = status(snomed, '82078001', 'Collection of blood specimen for laboratory')
const chest = concept(snomed, '399208008', 'Plain chest X-ray')
const radiograph = coding('http://dicom.nema.org/resources/ontology/DCM', 'CR', 'Computed Radiography')
const chestSite = coding(snomed, '51185008', 'Thoracic structure')
const imageClass = coding('urn:ietf:rfc:3986', 'urn:oid:1.2.840.10008.5.1.4.1.1.1')
const accession = status(`${terminology}/v2-0203`, 'ACSN', 'Accession ID')

/** Shares of reports with an order, of orders with a specimen, and of visits with an image. */
const orderedShare = 0.7
const specimenShare = 0.8
const imageShare = 0.06

/** Writes what was ordered, drawn and photographed: ServiceRequests of reports, Specimens, ImagingStudies. */
export function writeOrders(chart: Chart): void {
  const { random, seat } = chart
  const reports = chart.entries.filter(({ reference: target }) => target.startsWith('DiagnosticReport/'))
  for (const [index, report] of reports.entries()) {
    const isSure = seat.kind === 'page' && index === 0
    if (!isSure && !random.chance(orderedShare)) continue
    const order = writeOrder(chart, report, { category: laboratory, code: panel })
    if (isSure || random.chance(specimenShare)) writeSpecimen(chart, report, order)
  }
  for (const [index, visit] of chart.visits.entries())
    if ((seat.kind === 'page' && index === 0) || random.chance(imageShare)) writeImage(chart, visit)
}

type Order = Pick<Entry, 'created' | 'by' | 'organization'>

function writeOrder(
  chart: Chart,
  { created, by, organization }: Order,
  { category, code }: { readonly category: Raw; readonly code: Raw },
  encounter?: Raw,
): string {
  const { random, person, subjectShown, shared } = chart
  const ordered = created - random.integer(1, 48) * hourMs
  return chart.add('ServiceRequest', chart.nextId(), { at: ordered, by, organization }, definition('ServiceRequest'), {
    status: random.chance(0.9) ? 'completed' : 'revoked',
    intent: 'order',
    category: [category],
    priority: random.chance(0.9) ? 'routine' : 'urgent',
    code,
    subject: subjectShown,
    encounter,
    authoredOn: dateTime(ordered, person.town.offsetHours),
    requester: by.reference,
    performer: [random.pick(shared.laboratories).reference],
  })
}

function writeSpecimen(chart: Chart, { created, by, organization }: Order, order: string): void {
  const { random, person, subjectShown } = chart
  const isBlood = random.chance(0.8)
  const drawn = dateTime(created - hourMs, person.town.offsetHours)
  const collection: JsonObject = {
    collector: by.reference,
    collectedDateTime: drawn,
    method: isBlood ? venipuncture : undefined,
  }
  chart.add('Specimen', chart.nextId(), { at: created, by, organization }, definition('Specimen'), {
    accessionIdentifier: {
      system: 'urn:oid:2.16.840.1.113883.3.13.12',
      value: `S-${random.integer(100_000, 999_999)}`,
    },
    status: 'available',
    type: isBlood ? blood : urine,
    subject: subjectShown,
    receivedTime: dateTime(created, person.town.offsetHours),
    request: [reference(order)],
    collection,
  })
}

function writeImage(chart: Chart, visit: Visit): void {
  const { random, person, subjectShown } = chart
  const order = writeOrder(
    chart,
    { ...visit, created: visit.start },
    { category: imaging, code: chest },
    visit.encounter,
  )
  const study = `2.25.${random.integer(1, 9)}${random.integer(100_000_000, 999_999_999)}`
  const instances = random.integer(1, 3)
  chart.add('ImagingStudy', chart.nextId(), visit, definition('ImagingStudy'), {
    identifier: [
      { system: 'urn:dicom:uid', value: `urn:oid:${study}` },
      { type: accession, system: 'urn:oid:2.16.840.1.113883.3.13.14', value: `A${random.integer(100_000, 999_999)}` },
    ],
    status: 'available',
    modality: [radiograph],
    subject: subjectShown,
    encounter: visit.encounter,
    started: dateTime(visit.start, person.town.offsetHours),
    basedOn: [reference(order)],
    referrer: visit.by.reference,
    numberOfSeries: 1,
    numberOfInstances: instances,
    description: 'Chest, two views',
    series: [
      {
        ...{ uid: `${study}.1`, number: 1, modality: radiograph, numberOfInstances: instances, bodySite: chestSite },
        instance: Array.from({ length: instances }, (_, index) => ({
          ...{ uid: `${study}.1.${index + 1}`, sopClass: imageClass, number: index + 1 },
        })),
      },
    ],
  })
}
