import type { Pool } from 'pg'
import { BatchWriter, type OnWritten } from './batch-writer.ts'
import { HeldRecords } from './held/held-records.ts'
import { ReferenceResolver } from './held/reference-resolver.ts'
import { type RecordAsItCame, standingRecords } from './held/standing-records.ts'
import { bundleBytesMax, loadFile } from './load-file.ts'
import { type LoadFault, type LoadSummary, LoadTally, type StoredCounts } from './load-tally.ts'
import { orphansByType } from './orphans.ts'
import { ParserPool } from './rows/parser-pool.ts'
import { SharedBuffers } from './shared-buffers.ts'
import type { SourceFile } from './source/source-files.ts'

export interface LoadOptions {
  /** The tenant's own bases: absolute references under them mean its records. */
  readonly bases: readonly string[]
  /** Bases of the source: the same, and what lies under them becomes `Type/id`. */
  readonly sourceBases?: readonly string[]
  readonly keepLastUpdated: boolean
  /** Store Bundles that have an id as records of their own. */
  readonly keepBundles?: boolean
  /** Threads that read lines; without them this one does. */
  readonly parseThreads?: number
}

/** Told while a load runs; both may be called very often. */
export interface LoadReport {
  readonly onBytes: (bytes: number) => void
  readonly onFault: (fault: LoadFault) => void
  /** Counts so far, after each batch. */
  readonly onBatch: (counts: StoredCounts) => void
  readonly onWritten?: OnWritten
}

/**
 * Loads files one after the other, then what waited for the end (decision 0035). Each batch is one transaction, so a load that is broken
 * off can simply be run again.
 */
export async function load(
  pool: Pool,
  tenant: string,
  files: readonly SourceFile[],
  { bases, sourceBases = [], keepLastUpdated, keepBundles = false, parseThreads = 0 }: LoadOptions,
  { onBytes, onFault, onBatch, onWritten }: LoadReport,
): Promise<LoadSummary> {
  const tally = new LoadTally(onFault)
  const buffers = new SharedBuffers()
  const told = () => onBatch(tally.counts)
  const writer = new BatchWriter(pool, tenant, keepLastUpdated, tally, told, onWritten, buffers)
  const standing = (records: readonly RecordAsItCame[]) => standingRecords(pool, tenant, records)
  const held = new HeldRecords(writer, new ReferenceResolver(pool, tenant), tally, bases, standing)
  const places = { own: bases, source: sourceBases }
  const parsing = { tenant, bases: places, keepLastUpdated, lineBytesMax: bundleBytesMax }
  const parsers = new ParserPool(parsing, parseThreads, buffers)
  const tools = { pool, tenant, bases: places, keepBundles, writer, held, tally, onBytes, parsers, buffers }
  try {
    for (const file of files) await loadFile(tools, file)
    await writer.settle()
    await held.finish()
  } finally {
    await held.close()
    await parsers.close()
  }
  await writer.finish()
  return tally.summary(await orphansByType(pool, tenant))
}
