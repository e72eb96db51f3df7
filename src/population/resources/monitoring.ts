import { dateTime, instant, minuteMs, populationEnd } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, decimal, fixed, loinc, profile, quantity, status, terminology, unit } from '../datatypes.ts'
import { Raw, writeJson } from '../json.ts'
import type { PopulationRecord } from '../record.ts'
import { writeProvenance } from './provenance.ts'
import type { Visit } from './visit.ts'

const vitalSigns = fixed([status(`${terminology}/observation-category`, 'vital-signs', 'Vital Signs')])
const heartRate = concept(loinc, '8867-4', 'Heart rate')
const saturation = concept(loinc, '59408-5', 'Oxygen saturation in Arterial blood by Pulse oximetry')
const perMinute = unit('/min')
const percent = unit('%')
const profiles = profile('vital-signs')
const intervalMs = minuteMs
/** Observations that one Provenance describes together. */
const batchSize = 100

/**
 * Bedside monitoring of the heavy patient: as many Observations as are wanted, one a minute before the end of the population,
 * with a Provenance for each hundred. Handed on in batches, so that memory does not grow with their number.
 */
export function* monitoring(chart: Chart, visit: Visit, wanted: number): Generator<PopulationRecord> {
  const first = populationEnd - wanted * intervalMs
  for (let done = 0; done < wanted; done += batchSize) {
    const targets: string[] = []
    const end = Math.min(done + batchSize, wanted)
    for (let n = done; n < end; n++) targets.push(writeReading(chart, visit, n, first + n * intervalMs))
    const recorded = first + end * intervalMs
    writeProvenance(chart, { targets, recorded, activity: 'CREATE', by: visit.by, organization: visit.organization })
    yield* chart.drain()
  }
}

function writeReading(chart: Chart, visit: Visit, n: number, at: number): string {
  const { random, person, subject } = chart
  const id = chart.nextId()
  const meta = new Raw(writeJson({ versionId: '1', lastUpdated: instant(at), profile: profiles }))
  const even = n % 2 === 0
  const value = even ? random.between(55, 105) : random.between(90, 100)
  chart.put('Observation', id, meta, {
    status: 'final',
    category: vitalSigns,
    code: even ? heartRate : saturation,
    subject,
    encounter: visit.encounter,
    effectiveDateTime: dateTime(at, person.town.offsetHours),
    performer: [visit.by.reference],
    valueQuantity: quantity(decimal(value, 1), even ? perMinute : percent),
  })
  return `Observation/${id}`
}
