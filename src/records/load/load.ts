import { isUtf8 } from 'node:buffer'
import type { Pool } from 'pg'
import { entriesOf } from '../../fhir/bundle/bundle-entries.ts'
import { isUrn } from '../../fhir/bundle/bundle-identities.ts'
import { renameReferences } from '../../fhir/bundle/reference-text.ts'
import { type Draft, draftOf, draftOfLine, recordBytesMax } from '../draft.ts'
import { waitForDisk } from '../write/wait-for-disk.ts'
import { write } from '../write/write.ts'
import { openSourceFile, type SourceFile } from './source-files.ts'
import { linesOf } from './source-lines.ts'

/** Something in a file that was not loaded. `place` is a line number or `entry[3]`. */
export interface LoadFault {
  readonly file: string
  readonly place: string
  readonly reason: string
}

/** What became of the drafts that were stored. */
export interface StoredCounts {
  readonly created: number
  readonly updated: number
  readonly unchanged: number
}

/** What a load did. */
export interface LoadCounts extends StoredCounts {
  readonly faults: number
}

export interface LoadOptions {
  readonly bases: readonly string[]
  readonly keepLastUpdated: boolean
}

/** Told while a load runs; both may be called very often. */
export interface LoadReport {
  readonly onBytes: (bytes: number) => void
  readonly onFault: (fault: LoadFault) => void
  /** Counts so far, after each batch. */
  readonly onBatch: (counts: StoredCounts) => void
}

/** The largest JSON file (a Bundle) that is read; NDJSON has no such limit. */
const bundleBytesMax = 64 * 1024 * 1024

const batchRecordsMax = 2_000
const batchBytesMax = 4 * 1024 * 1024

/** Loads files one after the other. Each batch is one transaction, so a load that is broken off can simply be run again. */
export async function load(
  pool: Pool,
  tenant: string,
  files: readonly SourceFile[],
  options: LoadOptions,
  report: LoadReport,
): Promise<LoadCounts> {
  let faults = 0
  const onFault = (fault: LoadFault) => {
    faults++
    report.onFault(fault)
  }
  const groups = draftsOf(files, options, report, onFault)
  const stored = await storeGroups(pool, tenant, groups, options.keepLastUpdated, report.onBatch)
  return { ...stored, faults }
}

/** Stores drafts in batches; returns when all of them will survive a crash. `onBatch` is told the counts so far. */
export const storeDrafts = (
  pool: Pool,
  tenant: string,
  drafts: Iterable<Draft>,
  keepLastUpdated: boolean,
  onBatch: (counts: StoredCounts) => void,
): Promise<StoredCounts> => storeGroups(pool, tenant, [drafts], keepLastUpdated, onBatch)

/** Drafts as they come: those of one chunk of a file together, for each wait costs as much as some of them. */
type Groups = AsyncIterable<Iterable<Draft>> | Iterable<Iterable<Draft>>

async function storeGroups(
  pool: Pool,
  tenant: string,
  groups: Groups,
  keepLastUpdated: boolean,
  onBatch: (counts: StoredCounts) => void,
): Promise<StoredCounts> {
  const counts = { created: 0, updated: 0, unchanged: 0 }
  let probablyNew = false
  const writeBatch = async ({ drafts }: Batch) => {
    const changes = drafts.map((draft) => ({ kind: 'put' as const, draft }))
    const outcomes = await write(pool, tenant, changes, { keepLastUpdated, deferred: true, probablyNew })
    for (const { kind } of outcomes)
      if (kind === 'created' || kind === 'updated' || kind === 'unchanged') counts[kind]++
    probablyNew = outcomes.every(({ kind }) => kind === 'created')
    onBatch(counts)
  }
  const writing = new Map<Batch, Promise<unknown>>()
  for await (const batch of batchesOf(groups)) {
    while (writing.size === writesMax || [...writing.keys()].some((other) => !other.keys.isDisjointFrom(batch.keys))) {
      await Promise.race(writing.values())
    }
    const written = writeBatch(batch).then(() => writing.delete(batch))
    written.catch(() => {})
    writing.set(batch, written)
  }
  await Promise.all(writing.values())
  await waitForDisk(pool)
  return counts
}

/** Batches that are written at the same time: the database works on one while lines of the next are read. */
const writesMax = 2

/** Drafts of distinct records. */
interface Batch {
  readonly drafts: readonly Draft[]
  readonly keys: ReadonlySet<string>
}

/** Groups drafts into batches of bounded size without two of the same record: the later one must become a version of its own. */
async function* batchesOf(groups: Groups): AsyncGenerator<Batch> {
  let batch: Draft[] = []
  let keys = new Set<string>()
  let bytes = 0
  for await (const group of groups) {
    for (const draft of group) {
      const size = draft.text.bytes.length
      if (batch.length === batchRecordsMax || bytes + size > batchBytesMax || keys.has(draft.key)) {
        if (batch.length > 0) yield { drafts: batch, keys }
        batch = []
        keys = new Set()
        bytes = 0
      }
      batch.push(draft)
      keys.add(draft.key)
      bytes += size
    }
  }
  if (batch.length > 0) yield { drafts: batch, keys }
}

async function* draftsOf(
  files: readonly SourceFile[],
  options: LoadOptions,
  report: LoadReport,
  onFault: (fault: LoadFault) => void,
): AsyncGenerator<Iterable<Draft>> {
  for (const file of files) {
    const fault = (place: string, reason: string) => onFault({ file: file.path, place, reason })
    try {
      const drafts =
        file.kind === 'ndjson' ? lineDrafts(file, options, report, fault) : fileDrafts(file, options, report, fault)
      yield* drafts
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (!code?.startsWith('Z_') && !code?.startsWith('E')) throw error
      fault('the rest of the file', `cannot be read: ${message}`)
    }
  }
}

type Fault = (place: string, reason: string) => void

async function* lineDrafts(
  file: SourceFile,
  options: LoadOptions,
  report: LoadReport,
  fault: Fault,
): AsyncGenerator<Iterable<Draft>> {
  for await (const lines of linesOf(openSourceFile(file, report.onBytes), recordBytesMax)) {
    const drafts: Draft[] = []
    for (const { number, bytes } of lines) {
      const place = `line ${number}`
      if (bytes === undefined) fault(place, `longer than ${recordBytesMax} bytes`)
      else if (!isUtf8(bytes)) fault(place, 'not UTF-8')
      else {
        const draft = draftOfLine(number === 1 ? withoutMark(bytes) : bytes, options.bases)
        if ('fault' in draft) fault(place, draft.fault)
        else drafts.push(draft)
      }
    }
    yield drafts
  }
}

async function* fileDrafts(
  file: SourceFile,
  options: LoadOptions,
  report: LoadReport,
  fault: Fault,
): AsyncGenerator<Iterable<Draft>> {
  const bytes = await readWhole(file, report.onBytes)
  if (bytes === undefined)
    return fault('the file', `longer than ${bundleBytesMax} bytes; split it or convert it to NDJSON`)
  if (!isUtf8(bytes)) return fault('the file', 'not UTF-8')
  const text = withoutByteOrderMark(bytes.toString('utf8'))
  let parsed: { resourceType?: unknown; type?: unknown } | null
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    return fault('the file', `not JSON: ${(error as Error).message}`)
  }
  if (parsed?.resourceType === 'Bundle' && parsed.type !== 'document' && parsed.type !== 'message') {
    yield bundleDrafts(text, options, fault)
    return
  }
  const draft = draftOf(text, options.bases)
  if ('fault' in draft) fault('the file', draft.fault)
  else yield [draft]
}

/** The resources of a Bundle. One without id gets the UUID of its fullUrl, so that loading it again finds the same record. */
function* bundleDrafts(text: string, options: LoadOptions, fault: Fault): Generator<Draft> {
  const entries = entriesOf(text)
  if (!entries) return fault('the file', 'entry is not an array, or nested too deep')
  const identified = entries.map((entry) => {
    const resource =
      entry.resource === undefined
        ? undefined
        : (JSON.parse(entry.resource) as { resourceType?: unknown; id?: unknown })
    const fallback = /^urn:uuid:([A-Za-z0-9\-.]{1,64})$/.exec(entry.fullUrl ?? '')?.[1]
    return { ...entry, type: resource?.resourceType, id: resource?.id ?? fallback }
  })
  const resolved = new Map(
    identified.flatMap(({ fullUrl, type, id }) =>
      fullUrl === undefined || id === undefined ? [] : [[fullUrl, `${type}/${id}`]],
    ),
  )
  for (const { index, resource, id } of identified) {
    const place = `entry[${index}]`
    if (resource === undefined) {
      fault(place, 'no resource')
      continue
    }
    const renamed = renameReferences(resource, (name) => (isUrn(name) ? resolved.get(name) : undefined))
    const draft = draftOf(renamed, options.bases, id as string | undefined)
    if ('fault' in draft) fault(place, draft.fault)
    else yield draft
  }
}

const byteOrderMark = Buffer.from('\ufeff')

const withoutMark = (bytes: Buffer): Buffer =>
  byteOrderMark.equals(bytes.subarray(0, byteOrderMark.length)) ? bytes.subarray(byteOrderMark.length) : bytes

const withoutByteOrderMark = (text: string): string => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)

async function readWhole(file: SourceFile, onBytes: (bytes: number) => void): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of openSourceFile(file, onBytes) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bundleBytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
