import { dateTime, hourMs, instant, localInstant, populationEnd } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { coding, concept, loinc, profile, reference, status } from '../datatypes.ts'
import { type JsonObject, Raw, writeJson } from '../json.ts'
import { prose } from './note.ts'
import type { Visit } from './visit.ts'

const documentProfile = profile('documentreference')
const clinicalNote = status(
  'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
  'clinical-note',
  'Clinical Note',
)
const plainFormat = coding(
  'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem',
  'urn:ihe:iti:xds:2017:mimeTypeSufficient',
  'mimeType Sufficient',
)
const types = [
  concept(loinc, '11506-3', 'Progress note'),
  concept(loinc, '34117-2', 'History and physical note'),
  concept(loinc, '11488-4', 'Consult note'),
  concept(loinc, '28570-0', 'Procedure note'),
  concept(loinc, '34746-8', 'Nurse Note'),
]
const dischargeSummary = concept(loinc, '18842-5', 'Discharge summary')
const emergencyNote = concept(loinc, '34111-5', 'Emergency department Note')
const plainText = 'text/plain; charset=utf-8'
const contentTypes = [plainText, 'application/pdf', 'text/xml', 'text/html']

/** Shares of documents that carry their text themselves; all others point at a Binary. */
const inlineShare = 0.35
const largeShare = 0.015
/** Share of the Binaries pointed at that exist in the population. */
const binaryShare = 0.1
/** Bytes of a large document before base64, which adds a third: 20–200 kB in the record. */
const largeBytes = [16_000, 145_000] as const
const sectionSentences = 40

/** Writes a DocumentReference of a visit. */
export function writeDocument(chart: Chart, visit: Visit): void {
  const { random, person, subject, shared } = chart
  const { offsetHours } = person.town
  const type = visit.kind.inpatient
    ? dischargeSummary
    : visit.kind.minutes[1] > 600
      ? emergencyNote
      : random.pick(types)
  const written = visit.end + random.integer(0, 20) * hourMs
  const period = { start: dateTime(visit.start, offsetHours), end: dateTime(visit.end, offsetHours) }
  const id = chart.nextId()
  chart.add('DocumentReference', id, visit, documentProfile, {
    identifier: [
      { system: 'urn:oid:2.16.840.1.113883.3.13.5', value: `DOC-${id}`, assigner: visit.organization.reference },
    ],
    status: random.chance(0.95) ? 'current' : 'superseded',
    docStatus: random.chance(0.9) ? 'final' : 'preliminary',
    type,
    category: [clinicalNote],
    subject,
    date: localInstant(written, offsetHours),
    author: [visit.by.reference],
    authenticator: random.chance(0.4) ? random.pick(visit.site.practitioners).reference : undefined,
    custodian: visit.organization.reference,
    description: random.chance(0.2) ? 'Scanned: "signed copy" / page 1 of 2' : undefined,
    content: [{ attachment: attachment(chart, visit, 'Clinical note'), format: plainFormat }],
    context: {
      encounter: [visit.encounter],
      period,
      related: random.chance(0.05) ? [random.pick(shared.laboratories).reference] : [],
    },
  })
}

/** An Attachment: text within the record, or the address of a Binary, which is written too for a few. */
export function attachment(chart: Chart, visit: Visit, title: string): JsonObject {
  const { random } = chart
  const creation = dateTime(visit.end, chart.person.town.offsetHours)
  const draw = random.next()
  if (draw < inlineShare) {
    const text = draw < largeShare ? largeText(chart, visit) : shortText(chart, visit)
    const bytes = Buffer.from(text)
    const data = bytes.toString('base64')
    return {
      contentType: plainText,
      language: 'en-US',
      data: plain(data),
      size: bytes.length,
      title,
      creation,
    }
  }
  const id = chart.nextId()
  const exists = random.chance(binaryShare)
  if (exists) writeBinary(chart, visit, id)
  const contentType = exists ? plainText : random.pick(contentTypes)
  if (!exists) chart.unwritten.push({ id, contentType, visit })
  return { contentType, url: `Binary/${id}`, title, creation }
}

function writeBinary(chart: Chart, visit: Visit, id: string): void {
  const meta = { versionId: '1', lastUpdated: instant(Math.min(visit.end, populationEnd)) }
  chart.put('Binary', id, new Raw(writeJson(meta)), {
    contentType: plainText,
    securityContext: reference(`Patient/${chart.seat.id}`),
    data: plain(Buffer.from(shortText(chart, visit)).toString('base64')),
  })
}

function shortText(chart: Chart, visit: Visit): string {
  return `${heading(chart, visit)}\n\n${prose(chart.random, chart.random.integer(4, 24))}\n`
}

function largeText(chart: Chart, visit: Visit): string {
  const bytes = chart.random.integer(...largeBytes)
  let text = heading(chart, visit)
  for (let section = 1; text.length < bytes; section++) {
    text += `\n\n${section}. ${prose(chart.random, sectionSentences)}`
  }
  return text
}

const heading = ({ person }: Chart, { by, site, start }: Visit): string =>
  `${site.hospital.name}\n${by.name}\n${dateTime(start, person.town.offsetHours)}\nPatient: ${person.display}`

/** A string that needs no escapes: base64 never does, and looking for them in long texts costs time. */
const plain = (text: string): Raw => new Raw(`"${text}"`)
