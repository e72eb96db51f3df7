import type { FileStore } from '../files/file-store.ts'
import type { Meter } from '../telemetry/meter.ts'

/** A store of files that tells how long each file took until it survived a crash. */
export const measuredStore = (files: FileStore, meter: Meter): FileStore => ({
  ...files,
  create: async (path) => {
    const began = performance.now()
    const sink = await files.create(path)
    sink.once('finish', () => meter.observe('millrace_part_write_seconds', (performance.now() - began) / 1000))
    return sink
  },
})
