import { formatCount } from '../../src/cli/export/export-summary.ts'
import type { FloorName } from '../catalogue.ts'
import type { Figure } from '../figure.ts'

const unitNames = { 'records/s': ' records/s', 'MB/s': ' MB/s', ms: ' ms', MB: ' MB', times: '×', files: '' } as const

/** A value with three digits that count, or all those before the point. */
export const formatValue = (value: number, unit: Figure['unit']): string =>
  `${value >= 100 ? formatCount(Math.round(value)) : String(Number(value.toPrecision(3)))}${unitNames[unit]}`

export const formatBar = ({ bar, unit }: Figure): string =>
  bar === null ? '' : 'atLeast' in bar ? `≥ ${formatValue(bar.atLeast, unit)}` : `≤ ${formatValue(bar.atMost, unit)}`

export const formatReached = ({ reached }: Figure): string => (reached === null ? '' : reached ? 'yes' : 'no')

export const floorTitles: Readonly<Record<FloorName, string>> = {
  'floor-cp': 'cp',
  'floor-copy': 'COPY',
  'floor-gzip': 'gzip -1',
}
