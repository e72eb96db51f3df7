import type { Pool } from 'pg'
import type { Draft } from '../draft.ts'
import { BatchWriter, type Step } from './batch-writer.ts'
import { LoadTally, type StoredCounts } from './load-tally.ts'

/** Drafts that are taken from their source at once. */
const atOnce = 500

/** Stores drafts in batches; returns when all of them will survive a crash. `onBatch` is told the counts so far. */
export async function storeDrafts(
  pool: Pool,
  tenant: string,
  drafts: Iterable<Draft>,
  keepLastUpdated: boolean,
  onBatch: (counts: StoredCounts) => void,
): Promise<StoredCounts> {
  const tally = new LoadTally(() => {})
  const counts = (): StoredCounts => {
    const { created, updated, unchanged } = tally.counts
    return { created, updated, unchanged }
  }
  const writer = new BatchWriter(pool, tenant, keepLastUpdated, tally, () => onBatch(counts()))
  let steps: Step[] = []
  for (const draft of drafts) {
    steps.push({ kind: 'put', draft, at: nowhere })
    if (steps.length === atOnce) {
      await writer.add(steps)
      steps = []
    }
  }
  await writer.add(steps)
  await writer.finish()
  return counts()
}

const nowhere = { file: '', place: '' }
