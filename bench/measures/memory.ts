import type { Bench } from '../bench.ts'
import { memoryShares, type Warmth } from '../catalogue.ts'
import { unpack } from '../packs.ts'

/** The peak of a server that was started anew and has done nothing but one export, for exports of several sizes. */
export async function measureMemory(bench: Bench, warmth: Warmth): Promise<void> {
  const { dataset, server, caller, book } = bench
  for (const share of memoryShares) {
    await server.restart()
    if (warmth === 'cold') await unpack(bench.store)
    const count = Math.ceil((share / 100) * dataset.patients.length)
    await caller.export({ patients: dataset.patients.slice(0, count) })
    const peak = await server.peakMegabytes()
    if (peak === undefined)
      return bench.note('Memory is not measured: this system does not tell the peak of a process.')
    book.add(`memory-${warmth}-${share}`, peak)
  }
}
