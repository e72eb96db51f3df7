import type { Pool } from 'pg'
import { PackAssembly } from './build/pack-assembly.ts'
import { readMarkedRows } from './marked-rows.ts'
import { type Mark, type PackScope, readMarks } from './marks.ts'
import type { Pack } from './pack.ts'
import { publishPacks } from './publish-packs.ts'

/** What was packed. `bytes` are those of the lines, `packed` those of the packs. */
export interface PackCounts {
  /** Owners and types that were looked at. */
  readonly changed: number
  /** Empty ones and those of no type included. */
  readonly packs: number
  readonly records: number
  readonly bytes: number
  readonly packed: number
}

/**
 * Packs what has changed, until everything was looked at once. Any number of packers and writers may work at the same time; writers
 * wait for it no longer than one insert takes. What changes while it is packed is left for another time.
 * @param onProgress is told the counts so far, and stops the work by giving false
 */
export async function packChanged(
  pool: Pool,
  scope: PackScope,
  onProgress: (counts: PackCounts) => boolean | Promise<boolean>,
): Promise<PackCounts> {
  const counts = { changed: 0, packs: 0, records: 0, bytes: 0, packed: 0 }
  for await (const marks of readMarks(pool, scope)) {
    for await (const packs of packMarks(pool, marks)) {
      counts.packs += packs.length
      for (const { records, bytes, blocks } of packs) {
        counts.records += records
        counts.bytes += bytes
        counts.packed += blocks.length
      }
    }
    counts.changed += marks.length
    if (!(await onProgress({ ...counts }))) break
  }
  return counts
}

/** Packs the marks' records and gives the packs that came into the store. */
async function* packMarks(pool: Pool, marks: readonly Mark[]): AsyncGenerator<readonly Pack[]> {
  const { tenant } = marks[0]!
  const assembly = new PackAssembly(marks)
  for await (const rows of readMarkedRows(pool, marks)) {
    for (const row of rows) {
      if (assembly.isFullBefore(row)) yield await publishPacks(pool, tenant, assembly.take())
      assembly.add(row)
    }
  }
  yield await publishPacks(pool, tenant, assembly.takeRest())
}
