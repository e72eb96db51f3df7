import { dateTime, hourMs, localInstant } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, extensions, fixed, loinc, profile, reference, snomed, status, terminology } from '../datatypes.ts'
import { attachment } from './document.ts'
import { prose } from './note.ts'
import { laboratoryCategory, writeMeasured, writeValue } from './observation.ts'
import { colonyCount, type Panel, panels, routinePanels } from './panel.ts'
import type { Visit } from './visit.ts'

const resultProfile = profile('observation-lab')
const reportProfile = profile('diagnosticreport-lab')
const laboratory = fixed([status(`${terminology}/v2-0074`, 'LAB', 'Laboratory')])
const nitrite = concept(loinc, '5802-4', 'Nitrite [Presence] in Urine by Test strip')
const urineColor = concept(loinc, '5778-6', 'Color of Urine')
const presences = [
  concept(snomed, '260385009', 'Negative (qualifier value)'),
  concept(snomed, '10828004', 'Positive (qualifier value)'),
]
const colors = ['Yellow', 'Pale yellow', 'Amber']
const conclusions = [
  concept(snomed, '17621005', 'Normal (qualifier value)'),
  concept(snomed, '263654008', 'Abnormal (qualifier value)'),
]

/** Writes one panel of a visit: its Observations and the DiagnosticReport that gathers them. */
export function writePanel(chart: Chart, visit: Visit, wanted: readonly Panel[]): void {
  const { random } = chart
  const panel = wanted.length > 0 && random.chance(0.6) ? random.pick(wanted) : random.pick(routinePanels)
  const results = panel.measures.map((what) => writeMeasured(chart, visit, what, laboratoryCategory, resultProfile))
  if (panel === panels.urine) results.push(...writeUrine(chart, visit))
  writeReport(chart, visit, panel, results)
}

function writeUrine(chart: Chart, visit: Visit): string[] {
  const { random } = chart
  const write = (code: typeof nitrite, value: Parameters<typeof writeValue>[5]): string =>
    writeValue(chart, visit, code, laboratoryCategory, resultProfile, value)
  const results = [
    write(nitrite, { valueCodeableConcept: random.pick(presences) }),
    write(urineColor, { valueString: random.pick(colors) }),
  ]
  if (random.chance(0.3)) results.push(write(colonyCount.code, { valueQuantity: colonyCount.value }))
  return results
}

function writeReport(chart: Chart, visit: Visit, panel: Panel, results: readonly string[]): void {
  const { random, person, subjectShown, shared } = chart
  const { offsetHours } = person.town
  const reported = visit.start + random.integer(1, 30) * hourMs
  const place = { url: `${extensions}/diagnosticReport-locationPerformed`, valueReference: visit.ward.reference }
  chart.add('DiagnosticReport', chart.nextId(), visit, reportProfile, {
    extension: random.chance(0.15) ? [place] : [],
    status: random.chance(0.96) ? 'final' : 'amended',
    category: laboratory,
    code: panel.code,
    subject: subjectShown,
    encounter: visit.encounter,
    effectiveDateTime: dateTime(visit.start, offsetHours),
    issued: localInstant(reported + random.integer(0, 999), offsetHours),
    performer: [random.pick(shared.laboratories).reference],
    resultsInterpreter: random.chance(0.4) ? [random.pick(visit.site.practitioners).reference] : [],
    result: results.map((target) => reference(target)),
    conclusion: random.chance(0.5) ? prose(random, 2) : undefined,
    conclusionCode: random.chance(0.3) ? [random.pick(conclusions)] : [],
    presentedForm: random.chance(0.1) ? [attachment(chart, visit, 'Laboratory report')] : [],
  })
}
