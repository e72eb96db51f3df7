import type { Definitions } from './definition.ts'

const sources = ['packs', 'chosen', 'versions'] as const

/** What is exported, by whom, and how fast. */
export const exportMetrics = {
  millrace_exports_ended_total: {
    kind: 'counter',
    help: 'Exports that workers have completed or failed for good, and those whose files went when their time was over; not those that an operator cancelled',
    unit: 'count',
    labels: { outcome: ['completed', 'failed', 'expired'] },
    of: 'process',
    decides: 'whether somebody must look: a failed export has its reason in the log and in `job show`',
  },
  millrace_export_seconds: {
    kind: 'histogram',
    help: 'Completed exports by the time since their kick-off',
    unit: 'seconds',
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400],
    of: 'process',
    decides: 'whether clients get what they were promised, and whether more workers are needed',
  },
  millrace_partition_attempts_total: {
    kind: 'counter',
    help: 'Attempts at partitions by how they ended: published, made again, failed (to be tried again), or lost to a cancellation or to another worker',
    unit: 'count',
    labels: { outcome: ['published', 'made again', 'failed', 'lost'] },
    of: 'process',
    decides: 'whether work is done twice: failures have their reason in the log (`task-failed`)',
  },
  millrace_partition_seconds: {
    kind: 'histogram',
    help: 'Published partitions by how long their last attempt took',
    unit: 'seconds',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
    of: 'process',
    decides: 'whether workers are slower than they were: the disk, the database, or other work on the machine',
  },
  millrace_partitions_rescued_total: {
    kind: 'counter',
    help: 'Partitions that were taken from a worker that had died',
    unit: 'count',
    of: 'process',
    decides: 'whether workers die: look for a memory limit',
  },
  millrace_export_records_total: {
    kind: 'counter',
    help: 'Records in published files by where they came from: packs that were copied, lines chosen out of packs, stored versions',
    unit: 'records',
    labels: { source: sources },
    of: 'process',
    decides: 'throughput; and the share of packs: where it is low, `bin/millrace pack` makes exports faster',
  },
  millrace_export_bytes_total: {
    kind: 'counter',
    help: 'Bytes of these records as text, by the same sources',
    unit: 'bytes',
    labels: { source: sources },
    of: 'process',
    decides: 'throughput',
  },
  millrace_export_file_bytes_total: {
    kind: 'counter',
    help: 'Bytes of published files as they are stored',
    unit: 'bytes',
    of: 'process',
    decides: 'how fast the disk of the files fills',
  },
  millrace_part_write_seconds: {
    kind: 'histogram',
    help: 'Files of exports by the time from their first byte until they survive a crash',
    unit: 'seconds',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    of: 'process',
    decides: 'whether the disk of the files is what exports wait for',
  },
  millrace_cut_wait_seconds: {
    kind: 'histogram',
    help: 'Kick-offs by how long they waited for writers that were under way, those that waited in vain included',
    unit: 'seconds',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    of: 'process',
    decides: 'whether a writer or load holds kick-offs up; beyond 10 s they are 503',
  },
  millrace_engine_events_total: {
    kind: 'counter',
    help: 'What the engine tells its log, by event',
    unit: 'count',
    labels: {
      event: [
        ...['export-completed', 'export-failed', 'export-expired', 'task-failed', 'warm-up-failed', 'queue-error'],
        ...['queue-warning', 'sweep-failed', 'pack-refused', 'pack-failed', 'packed', 'files-mended', 'files-lost'],
        ...['disk-short', 'files-unusable', 'thread-failed'],
      ],
    },
    of: 'process',
    decides: 'whether to look into the log; `queue-warning` and `queue-error` are of pg-boss',
  },
  millrace_engine_threads: {
    kind: 'gauge',
    help: 'Threads that export: as many as there should be, and those that take work',
    unit: 'count',
    labels: { state: ['configured', 'ready'] },
    of: 'process',
    decides: 'whether all workers work: with fewer ready than configured look for `thread-failed`',
  },
} as const satisfies Definitions
