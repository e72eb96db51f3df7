import { floorNames } from '../catalogue.ts'
import type { Figure } from '../figure.ts'
import { floorTitles, formatValue } from './format.ts'
import { element, label, line, round, svgDocument } from './svg.ts'

const width = 860
const left = 330
const right = 750
const top = 112
const rowHeight = 26
const barHeight = 16

/** Bars of every rate of records, with the floors as lines across and the design's bars as marks. */
export function throughputChart(figures: readonly Figure[]): string {
  const rows = figures.filter(({ unit, group }) => unit === 'records/s' && group !== 'Floors')
  const floors = figures.filter(({ name }) => (floorNames as readonly string[]).includes(name))
  const all = [...rows, ...floors].flatMap(({ value, bar }) => [
    value,
    ...(bar && 'atLeast' in bar ? [bar.atLeast] : []),
  ])
  const low = Math.floor(Math.log10(Math.min(...all)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...all))))
  const across = (value: number): number => left + ((right - left) * (Math.log10(value) - low)) / (high - low)
  const bottom = top + rows.length * rowHeight
  const content = [
    label('Records per second', 16, 26, { class: 'title' }),
    label('Each grid line is ten times the one before. Orange: to be reached. Dashed: floors.', 16, 46, {
      class: 'faint',
    }),
    ...grid(low, high, across, bottom),
    ...rows.flatMap((figure, index) => bar(figure, top + index * rowHeight, across)),
    ...floorLines(floors, across, bottom),
  ]
  const said = [...rows, ...floors].map((figure) => `${titleOf(figure)}: ${formatValue(figure.value, figure.unit)}`)
  return svgDocument(
    { width, height: bottom + 34 },
    'Records per second of each measure',
    `${said.join('; ')}.`,
    content,
  )
}

function grid(low: number, high: number, across: (value: number) => number, bottom: number): string[] {
  const powers = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index))
  return powers.flatMap((power) => [
    line(across(power), top - 6, across(power), bottom, { class: 'grid' }),
    label(power.toLocaleString('en'), across(power), bottom + 20, { class: 'faint', 'text-anchor': 'middle' }),
  ])
}

/** In the chart the headings of groups are missing. */
function titleOf({ group, label: text }: Figure): string {
  if (group.startsWith('Filtered')) return `filter: ${text}`
  return group === 'Downloads' ? `download: ${text}` : text
}

function bar(figure: Figure, y: number, across: (value: number) => number): string[] {
  const end = across(figure.value)
  const middle = y + rowHeight / 2
  const box = { x: left, y: round(middle - barHeight / 2), width: round(end - left), height: barHeight, rx: 2 }
  const goal = figure.bar && 'atLeast' in figure.bar ? across(figure.bar.atLeast) : undefined
  return [
    label(titleOf(figure), left - 10, middle + 5, { 'text-anchor': 'end' }),
    element('rect', { class: figure.bar ? 'bar' : 'other', ...box }),
    ...(goal === undefined ? [] : [line(goal, middle - 11, goal, middle + 11, { class: 'goal' })]),
    label(formatValue(figure.value, 'records/s').replace(' records/s', ''), right + 16, middle + 5),
  ]
}

/** Floors may stand close to one another, so each has its name at a height of its own. */
function floorLines(floors: readonly Figure[], across: (value: number) => number, bottom: number): string[] {
  return floors.flatMap(({ name, value }, index) => {
    const x = across(value)
    const y = top - 12 - index * 15
    const title = floorTitles[name as keyof typeof floorTitles]
    return [
      line(x, y + 4, x, bottom, { class: 'floor' }),
      label(title, x, y, { class: 'faint', 'text-anchor': 'middle' }),
    ]
  })
}
