import { floorNames } from '../catalogue.ts'
import type { Figure } from '../figure.ts'
import { floorTitles, formatBar, formatReached, formatValue } from './format.ts'

/** The figures about one subject, as a table of words. */
interface Group {
  readonly heading: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** One table for each group of figures. Columns for floors are there where something is held against them. */
export function groupsOf(figures: readonly Figure[]): Group[] {
  return [...Map.groupBy(figures, ({ group }) => group)].map(([title, members]) => {
    const floors = floorNames.filter((floor) => members.some(({ toFloors }) => toFloors[floor] !== undefined))
    return {
      heading: [title, 'measured', 'bar', 'reached', ...floors.map((floor) => `/ ${floorTitles[floor]}`)],
      rows: members.map((figure) => [
        figure.label,
        formatValue(figure.value, figure.unit),
        formatBar(figure),
        formatReached(figure),
        ...floors.map((floor) => formatRatio(figure.toFloors[floor])),
      ]),
    }
  })
}

const formatRatio = (ratio: number | undefined): string => (ratio === undefined ? '' : formatValue(ratio, 'times'))
