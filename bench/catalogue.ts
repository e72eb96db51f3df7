import { type ShapeName, shapeNames, shapes } from './shapes.ts'

/** What share of the patients an export names, in percent. */
export const shares = [1, 20, 100] as const
export type Share = (typeof shares)[number]

/** Sizes of the store at which the same small export is made, in percent of the dataset. */
export const storeShares = [1, 10, 100] as const
export type StoreShare = (typeof storeShares)[number]

/** Exports whose memory is measured, in percent of the patients: about 1,000, 100,000 and 1,000,000 records of the usual dataset. */
export const memoryShares = [0.1, 10, 100] as const
type MemoryShare = (typeof memoryShares)[number]

/** Whether packs are there (`warm`) or not (`cold`). */
export type Warmth = 'warm' | 'cold'

export type Unit = 'records/s' | 'MB/s' | 'ms' | 'MB' | 'times' | 'files'

/** What a figure should reach: a row of the design's "Numbers to reach". */
type Bar = { readonly atLeast: number } | { readonly atMost: number }

/** One row of the result. */
export interface Definition {
  readonly group: string
  readonly label: string
  readonly unit: Unit
  /** How the samples become the figure; a percentile counts from 0 to 100. The median if nothing is said. */
  readonly percentile?: number
  readonly bar?: Bar
  /** It is not measured itself, but is the first of these by the second. */
  readonly ratio?: readonly [FigureName, FigureName]
  /** Whether it is about whole records, so that its rate can be held against those of the floors. */
  readonly whole?: boolean
}

export const floorNames = ['floor-cp', 'floor-copy', 'floor-gzip'] as const
export type FloorName = (typeof floorNames)[number]

export type FigureName =
  | FloorName
  | 'load'
  | `${Warmth | 'rare' | 'parsed' | 'unchanged' | 'changed'}-${Share}`
  | 'warm-to-cp'
  | 'small'
  | 'small-p99'
  | 'kick-off'
  | 'poll'
  | 'poll-p99'
  | 'download'
  | 'download-inflated'
  | 'download-sent'
  | `memory-${Warmth}-${MemoryShare}`
  | `memory-${Warmth}-growth`
  | `stored-${StoreShare | 'growth'}`
  | 'shape-everything'
  | 'shape-first'
  | `shape-${ShapeName}`
  | `shape-files-${ShapeName}`
  | 'shape-memory'

/** The design's bars hold for exports and stores of at least this size. */
export const barRecordsMin = 1_000_000

const megabytes = (share: MemoryShare, warmth: Warmth): Definition => ({
  group: 'Memory',
  label: `server at its peak, ${warmth}, ${share} % of the patients`,
  unit: 'MB',
  bar: { atMost: 300 },
})

const memoryGrowth = (warmth: Warmth): Definition => ({
  group: 'Memory',
  label: `server at its peak, ${warmth}, 100 % against 0.1 %`,
  unit: 'times',
  ratio: [`memory-${warmth}-100`, `memory-${warmth}-0.1`],
})

const stored = (share: StoreShare): Definition => ({
  group: 'Small exports',
  label: `3 patients, ${share} % of the dataset stored`,
  unit: 'ms',
})

const exported = (label: string, share: Share, bar?: Bar): Definition => ({
  group: 'Exports',
  label: `${label}, ${share} % of the patients`,
  unit: 'records/s',
  whole: true,
  ...(bar && { bar }),
})

const scanned = (label: string, share: Share, bar?: Bar): Definition => ({
  group: 'Filtered exports (records scanned)',
  label: `${label}, ${share} % of the patients`,
  unit: 'records/s',
  ...(bar && { bar }),
})

const since = (label: string, share: Share): Definition => ({
  group: 'Incremental exports',
  label: `${label}, ${share} % of the patients`,
  unit: 'ms',
})

const floor = (label: string): Definition => ({ group: 'Floors', label, unit: 'records/s' })

/** No request costs more than exporting everything of the same patients. */
const shaped: Readonly<Record<`shape-${ShapeName}`, Definition>> = Object.fromEntries(
  shapeNames.map((name) => [
    `shape-${name}`,
    { group: 'Shapes (time against everything)', label: shapes[name].label, unit: 'times', bar: { atMost: 1 } },
  ]),
) as never

const shapedFiles: Readonly<Record<`shape-files-${ShapeName}`, Definition>> = Object.fromEntries(
  shapeNames.map((name) => [
    `shape-files-${name}`,
    { group: 'Files of shapes', label: shapes[name].label, unit: 'files' },
  ]),
) as never

/** Every figure, in the order in which they are shown. */
export const catalogue: Readonly<Record<FigureName, Definition>> = {
  load: {
    group: 'Loading',
    label: 'loading, packing included',
    unit: 'records/s',
    bar: { atLeast: 25_000 },
    whole: true,
  },
  'warm-1': exported('warm (packs present)', 1),
  'warm-20': exported('warm (packs present)', 20),
  'warm-100': exported('warm (packs present)', 100, { atLeast: 1_500_000 }),
  'warm-to-cp': {
    group: 'Exports',
    label: 'warm, 100 % of the patients, against cp',
    unit: 'times',
    ratio: ['warm-100', 'floor-cp'],
    bar: { atLeast: 1 },
  },
  'cold-1': exported('cold (no packs)', 1),
  'cold-20': exported('cold (no packs)', 20),
  'cold-100': exported('cold (no packs)', 100, { atLeast: 60_000 }),
  'rare-1': scanned('a rare code', 1),
  'rare-20': scanned('a rare code', 20),
  'rare-100': scanned('a rare code', 100, { atLeast: 200_000 }),
  'parsed-1': scanned('every line parsed', 1),
  'parsed-20': scanned('every line parsed', 20),
  'parsed-100': scanned('every line parsed', 100, { atLeast: 60_000 }),
  'unchanged-1': since('_since, nothing changed', 1),
  'unchanged-20': since('_since, nothing changed', 20),
  'unchanged-100': since('_since, nothing changed', 100),
  'changed-1': since('_since, few changed', 1),
  'changed-20': since('_since, few changed', 20),
  'changed-100': since('_since, few changed', 100),
  small: { group: 'Small exports', label: '3 patients, kick-off to manifest', unit: 'ms', bar: { atMost: 500 } },
  'small-p99': { group: 'Small exports', label: '3 patients, p99', unit: 'ms', percentile: 99 },
  'stored-1': stored(1),
  'stored-10': stored(10),
  'stored-100': stored(100),
  'stored-growth': {
    group: 'Small exports',
    label: '3 patients, 100 % stored against 1 %',
    unit: 'times',
    ratio: ['stored-100', 'stored-1'],
  },
  'kick-off': {
    group: 'Answers',
    label: 'kick-off with 20,000 patients, to the 202',
    unit: 'ms',
    bar: { atMost: 250 },
  },
  poll: { group: 'Answers', label: 'status poll while all patients are exported', unit: 'ms' },
  'poll-p99': {
    group: 'Answers',
    label: 'status poll while all patients are exported, p99',
    unit: 'ms',
    percentile: 99,
    bar: { atMost: 50 },
  },
  download: { group: 'Downloads', label: 'gzipped parts', unit: 'records/s', whole: true },
  'download-inflated': { group: 'Downloads', label: 'inflated by the server', unit: 'records/s', whole: true },
  'download-sent': { group: 'Downloads', label: 'gzipped parts, bytes sent', unit: 'MB/s' },
  'memory-warm-0.1': megabytes(0.1, 'warm'),
  'memory-warm-10': megabytes(10, 'warm'),
  'memory-warm-100': megabytes(100, 'warm'),
  'memory-warm-growth': memoryGrowth('warm'),
  'memory-cold-0.1': megabytes(0.1, 'cold'),
  'memory-cold-10': megabytes(10, 'cold'),
  'memory-cold-100': megabytes(100, 'cold'),
  'memory-cold-growth': memoryGrowth('cold'),
  'floor-cp': floor('cp of the same NDJSON, flushed'),
  'floor-copy': floor('COPY of the bodies out of the same database'),
  'floor-gzip': floor('gzip -1 of the same NDJSON'),
  'shape-everything': { group: 'Shapes (time against everything)', label: 'everything', unit: 'ms' },
  'shape-first': {
    group: 'Shapes (time against everything)',
    label: 'everything, the first export after a start',
    unit: 'times',
    bar: { atMost: 1.2 },
  },
  ...shaped,
  ...shapedFiles,
  'shape-memory': {
    group: 'Files of shapes',
    label: 'server at its peak over all shapes',
    unit: 'MB',
    bar: { atMost: 300 },
  },
}
