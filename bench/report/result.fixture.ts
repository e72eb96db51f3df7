import { Book } from '../book.ts'
import { catalogue, type FigureName } from '../catalogue.ts'
import { figuresOf, type Result } from '../figure.ts'

/** A result in which every measured figure has the value that it is given, or 1,000. */
export function resultWith(values: Partial<Record<FigureName, number>> = {}): Result {
  const book = new Book()
  for (const name of Object.keys(catalogue) as FigureName[]) {
    if (catalogue[name].ratio === undefined) book.add(name, values[name] ?? 1_000)
  }
  const records = 1_000_000
  return {
    millrace: '0.0.0',
    measured: '2021-03-18T19:19:42.000Z',
    machine: { cores: 2, memoryGb: 8, node: '24.0.0', postgres: '18.0', database: 'embedded' },
    dataset: { patients: 5_000, seed: 1, records, bytes: 1, storedRecords: [10_000, 100_000, records] },
    repeats: 3,
    seconds: 60,
    notes: [],
    figures: figuresOf(book, records),
  }
}
