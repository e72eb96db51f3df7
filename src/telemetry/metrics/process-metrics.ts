import type { Definitions } from './definition.ts'

/** The process, its machine, and this page itself. */
export const processMetrics = {
  millrace_build_info: {
    kind: 'gauge',
    help: 'Always 1; the labels tell what runs',
    unit: 'count',
    labels: { version: 'of Millrace', node: 'of Node' },
    of: 'process',
    decides: 'whether all servers run the same version',
  },
  millrace_certificate_expiry_timestamp_seconds: {
    kind: 'gauge',
    help: 'Until when the TLS certificate in use is valid, in seconds since 1970; no sample without TLS',
    unit: 'timestamp',
    of: 'process',
    decides: 'when to renew it',
  },
  millrace_disk_free_bytes: {
    kind: 'gauge',
    help: 'Free bytes of the disk of the files, and of an embedded database',
    unit: 'bytes',
    labels: { disk: ['files', 'data'] },
    of: 'process',
    decides: 'when to make room',
  },
  millrace_disk_floor_bytes: {
    kind: 'gauge',
    help: 'What `--free-disk` keeps free: below it kick-offs are 503. None where files lie in S3',
    unit: 'bytes',
    of: 'process',
    decides: 'the same',
  },
  millrace_scrape_failures_total: {
    kind: 'counter',
    help: 'Figures that could not be had in time for a scrape, which then has no sample of them',
    unit: 'count',
    labels: { source: ['store', 'disk'] },
    of: 'process',
    decides: 'whether the database answers at all: gaps in its figures are no zeros',
  },
  process_cpu_seconds_total: {
    kind: 'counter',
    help: 'Processor time of the process and its threads',
    unit: 'seconds',
    of: 'process',
    decides: 'whether the machine is too small',
  },
  process_resident_memory_bytes: {
    kind: 'gauge',
    help: 'Resident memory of the process, without PostgreSQL',
    unit: 'bytes',
    of: 'process',
    decides: 'whether the memory limit is near',
  },
  process_start_time_seconds: {
    kind: 'gauge',
    help: 'When the process started, in seconds since 1970',
    unit: 'timestamp',
    of: 'process',
    decides: 'whether it is started again and again',
  },
  process_open_fds: {
    kind: 'gauge',
    help: 'Open files and sockets; no sample where the system does not tell',
    unit: 'count',
    of: 'process',
    decides: 'whether `ulimit -n` is near',
  },
  nodejs_eventloop_time_seconds_total: {
    kind: 'counter',
    help: 'Time of the thread that answers requests: at work, and waiting for some',
    unit: 'seconds',
    labels: { nodejs_eventloop_state: ['active', 'idle'] },
    of: 'process',
    decides: 'whether the answering thread is the bottleneck: then another server helps, and no more workers',
  },
} as const satisfies Definitions
