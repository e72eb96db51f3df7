import { formatCount } from '../../src/cli/export/export-summary.ts'
import { type FigureName, storeShares } from '../catalogue.ts'
import type { Result } from '../figure.ts'
import { formatValue } from './format.ts'
import { element, label, line, round, svgDocument } from './svg.ts'

const width = 860
const height = 320
const left = 90
const right = 800
const top = 76
const bottom = 250
/** Lines across, besides the one at the bottom. */
const steps = 4

/** What one small export costs while the store grows, as a line. Undefined when it was not measured. */
export function costChart({ figures, dataset }: Result): string | undefined {
  const names = storeShares.map((share): FigureName => `stored-${share}`)
  const points = names.flatMap((name, index) => {
    const ms = figures.find((figure) => figure.name === name)?.value
    const stored = dataset.storedRecords[index]
    return ms === undefined || stored === undefined ? [] : [{ ms, stored }]
  })
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined || first.stored === last.stored) return undefined
  const decades = Math.log10(last.stored / first.stored)
  const across = (stored: number): number =>
    left + 40 + ((right - left - 80) * Math.log10(stored / first.stored)) / decades
  const step = roundUp(Math.max(...points.map(({ ms }) => ms)) / steps)
  const up = (ms: number): number => bottom - ((bottom - top) * ms) / (step * steps)
  const content = [
    label('Export of 3 patients while the store grows', 16, 26, { class: 'title' }),
    label('Milliseconds from kick-off to manifest, against the records stored', 16, 46, { class: 'faint' }),
    ...Array.from({ length: steps + 1 }, (_, index) => [
      line(left, up(index * step), right, up(index * step), { class: 'grid' }),
      label(formatValue(index * step, 'ms'), left - 10, up(index * step) + 4, { class: 'faint', 'text-anchor': 'end' }),
    ]).flat(),
    element('polyline', {
      class: 'curve',
      points: points.map(({ stored, ms }) => `${round(across(stored))},${round(up(ms))}`).join(' '),
    }),
    ...points.flatMap(({ stored, ms }) => [
      element('circle', { class: 'bar', cx: round(across(stored)), cy: round(up(ms)), r: 4 }),
      label(formatValue(ms, 'ms'), across(stored), up(ms) - 12, { 'text-anchor': 'middle' }),
      label(`${formatCount(stored)} records`, across(stored), bottom + 22, { class: 'faint', 'text-anchor': 'middle' }),
    ]),
  ]
  const said = points.map(({ stored, ms }) => `${formatCount(stored)} records stored: ${formatValue(ms, 'ms')}`)
  return svgDocument(
    { width, height: height - 30 },
    'Cost of a small export against stored size',
    `${said.join('; ')}.`,
    content,
  )
}

/** The next of 1, 2, 5, 10, 20 … */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((digit) => digit * power).find((candidate) => candidate >= value)!
}
