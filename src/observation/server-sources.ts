import type { PoolConfig } from 'pg'
import { freeBytes } from '../files/disk-floor.ts'
import type { Sample } from '../telemetry/meter.ts'
import type { Source } from '../telemetry/metric-registry.ts'
import { processSamples } from '../telemetry/process-samples.ts'
import { readStoreFigures, samplesOfStore } from './store-figures.ts'

/** A directory whose disk is watched. */
export interface WatchedDisk {
  readonly disk: 'files' | 'data'
  readonly directory: string
}

/** What a running server can be asked for. */
export interface ObservedServer {
  readonly version: string
  readonly connection: PoolConfig
  readonly disks: readonly WatchedDisk[]
  /** Undefined where none applies. */
  readonly floorBytes: number | undefined
  /** Those that know their own: pools, other threads, the HTTP server. */
  readonly levels: readonly (() => readonly Sample[])[]
  readonly threads: { readonly configured: number; readonly ready: () => number }
  readonly auditBacklog: () => number
  readonly certificate: { readonly validTo: Date } | undefined
}

/** The figures that a server is asked for at each scrape. */
export function serverSources(server: ObservedServer): Source[] {
  const { version, connection, disks, floorBytes, levels } = server
  return [
    { read: () => processSamples(version) },
    { read: () => levels.flatMap((read) => read()) },
    { read: () => serverSamples(server) },
    { name: 'disk', read: () => diskSamples(disks, floorBytes) },
    { name: 'store', read: async () => samplesOfStore(await readStoreFigures(connection)) },
  ]
}

function serverSamples({ threads, certificate, auditBacklog }: ObservedServer): Sample[] {
  return [
    { name: 'millrace_engine_threads', value: threads.configured, labels: { state: 'configured' } },
    { name: 'millrace_engine_threads', value: threads.ready(), labels: { state: 'ready' } },
    { name: 'millrace_audit_backlog', value: auditBacklog() },
    ...(certificate
      ? [
          {
            name: 'millrace_certificate_expiry_timestamp_seconds' as const,
            value: certificate.validTo.getTime() / 1000,
          },
        ]
      : []),
  ]
}

async function diskSamples(disks: readonly WatchedDisk[], floorBytes: number | undefined): Promise<Sample[]> {
  const free = await Promise.all(
    disks.map(
      async ({ disk, directory }): Promise<Sample> => ({
        name: 'millrace_disk_free_bytes',
        value: await freeBytes(directory),
        labels: { disk },
      }),
    ),
  )
  return floorBytes === undefined ? free : [...free, { name: 'millrace_disk_floor_bytes', value: floorBytes }]
}
