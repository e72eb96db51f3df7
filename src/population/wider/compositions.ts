import { dateTime, instant, populationEnd } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, fixed, loinc, reference } from '../datatypes.ts'
import { Raw, writeJson } from '../json.ts'
import { prose } from '../resources/note.ts'
import type { Visit } from '../resources/visit.ts'
import { definition } from './type-definition.ts'

const summary = concept(loinc, '34133-9', 'Summarization of Episode Note')
const problems = concept(loinc, '11450-4', 'Problem list - Reported')
const course = concept(loinc, '8648-8', 'Hospital course Narrative')
const noProblem = fixed({
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: 'nilknown' }],
})

const summarizedShare = 0.12
const entriesListed = 5

/** Writes Compositions that summarize some visits. */
export function writeCompositions(chart: Chart): void {
  const { random, seat } = chart
  const conditions = chart.entries.filter(({ reference: target }) => target.startsWith('Condition/'))
  for (const [index, visit] of chart.visits.entries()) {
    const isSure = seat.kind === 'page' && index === 0
    if (!isSure && !random.chance(visit.kind.inpatient ? 1 : summarizedShare)) continue
    const found = conditions.filter(({ created }) => created <= visit.end + 1).slice(0, entriesListed)
    writeComposition(
      chart,
      visit,
      found.map(({ reference: target }) => reference(target)),
    )
  }
}

function writeComposition(chart: Chart, visit: Visit, entry: readonly Raw[]): void {
  const { random, person, subjectShown } = chart
  const text = {
    status: 'generated',
    div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${prose(random, 3)}</p></div>`,
  }
  chart.add('Composition', chart.nextId(), visit, definition('Composition'), {
    identifier: { system: 'urn:oid:2.16.840.1.113883.3.13.15', value: `C-${visit.id}` },
    status: 'final',
    type: summary,
    subject: subjectShown,
    encounter: visit.encounter,
    date: dateTime(visit.end, person.town.offsetHours),
    author: [visit.by.reference],
    title: 'Summary of the visit',
    custodian: visit.organization.reference,
    section: [
      { title: 'Problems', code: problems, entry, emptyReason: entry.length === 0 ? noProblem : undefined },
      { title: 'Course', code: course, text },
    ],
  })
}

/** Share of Binaries that name the patient; the others are nobody's, and come along with the documents that lead to them. */
const namedShare = 0.7

/** Writes the Binaries that Attachments lead to, and that only a population of all types has. */
export function writeUnwritten(chart: Chart): void {
  const { random, seat } = chart
  for (const { id, contentType, visit } of chart.unwritten) {
    const meta = { versionId: '1', lastUpdated: instant(Math.min(visit.end, populationEnd)) }
    const text = `${visit.site.hospital.name}\n${prose(random, random.integer(4, 24))}\n`
    chart.put('Binary', id, new Raw(writeJson(meta)), {
      contentType,
      securityContext: random.chance(namedShare) ? reference(`Patient/${seat.id}`) : undefined,
      data: Buffer.from(contentOf(contentType, text)).toString('base64'),
    })
  }
}

/** Something of the type that is said. */
function contentOf(contentType: string, text: string): string {
  if (contentType === 'application/pdf') return `%PDF-1.4\n% ${text.replaceAll('\n', ' ')}\n%%EOF\n`
  if (contentType === 'text/html') return `<!doctype html><title>Note</title><pre>${text}</pre>`
  return contentType === 'text/xml' ? `<?xml version="1.0"?><note>${text.replaceAll('&', 'and')}</note>` : text
}
