import type { Book } from './book.ts'
import { barRecordsMin, catalogue, type FigureName, type FloorName, floorNames, type Unit } from './catalogue.ts'
import type { Machine } from './machine.ts'
import { median, percentile } from './statistics.ts'

/** One measured figure. */
export interface Figure {
  readonly name: FigureName
  readonly group: string
  readonly label: string
  readonly unit: Unit
  readonly value: number
  /** None for a ratio of two other figures. */
  readonly samples: readonly number[]
  /** What it should reach. */
  readonly bar: { readonly atLeast: number } | { readonly atMost: number } | null
  /** Null without a bar, and for a dataset that is smaller than the bars are meant for. */
  readonly reached: boolean | null
  /** Its rate in multiples of each floor's, for rates of whole records. */
  readonly toFloors: Partial<Readonly<Record<FloorName, number>>>
}

/** The result of a run: what is printed, written and drawn. */
export interface Result {
  readonly millrace: string
  readonly measured: string
  readonly machine: Machine
  readonly dataset: {
    readonly patients: number
    readonly seed: number
    readonly records: number
    readonly bytes: number
    /** Records in the store at each of its sizes; the last has them all. */
    readonly storedRecords: readonly number[]
  }
  readonly repeats: number
  readonly seconds: number
  /** Measures that could not be taken here, and why. */
  readonly notes: readonly string[]
  readonly figures: readonly Figure[]
}

/** Makes figures of samples, in the order of the catalogue. `records` is the size of the dataset. */
export function figuresOf(book: Book, records: number): Figure[] {
  const all = Object.keys(catalogue) as FigureName[]
  const values = new Map(book.names().map((name) => [name, valueFrom(name, book.samples(name))]))
  for (const name of all) {
    const [above, below] = catalogue[name].ratio?.map((other) => values.get(other)) ?? []
    if (above !== undefined && below !== undefined) values.set(name, above / below)
  }
  const found = all.filter((name) => values.has(name))
  return found.map((name) => {
    const { group, label, unit, bar, whole } = catalogue[name]
    const value = values.get(name)!
    const floors = whole ? floorNames.filter((floor) => values.has(floor)) : []
    return {
      name,
      group,
      label,
      unit,
      value,
      samples: book.samples(name),
      bar: bar ?? null,
      reached: bar === undefined || records < barRecordsMin ? null : isReached(value, bar),
      toFloors: Object.fromEntries(floors.map((floor) => [floor, value / values.get(floor)!])),
    }
  })
}

function valueFrom(name: FigureName, samples: readonly number[]): number {
  const percent = catalogue[name].percentile
  return percent === undefined ? median(samples) : percentile(samples, percent)
}

const isReached = (value: number, bar: NonNullable<Figure['bar']>): boolean =>
  'atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost
