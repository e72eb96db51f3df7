import { join } from 'node:path'
import { Command } from 'commander'
import type { Pool, PoolConfig } from 'pg'
import { defaultFilesDirectory } from '../app.ts'
import { readStore, type Store, type StoreFlags } from '../config.ts'
import { openDatabase } from '../database/connection.ts'
import { readStoreStatus, type StoreStatus } from '../observation/store-status.ts'
import { jobStates } from '../protocol/plan/job-state.ts'
import { formatCount } from './export/export-summary.ts'
import { type Output, printJson, printTable } from './output.ts'
import { parseByteSize } from './serve/byte-size.ts'
import { readFilesPlace } from './serve/files-flag.ts'
import { readServerUrl } from './serve/public-url.ts'
import { freeDiskBytesDefault, stated } from './serve/serve.ts'
import { withStoreOptions } from './store-options.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags {
  readonly server?: string
  readonly files?: string
  readonly freeDisk?: number
  readonly json?: boolean
}

/** Its own, while figures have one of their own too. */
const statusConnections = 2

const help = `
Exit code 1 when something is wrong; what it is stands at the end.

Examples:
  $ bin/millrace status
  $ bin/millrace status --server http://127.0.0.1:8080 --json`

/** `millrace status`: all that one wants to know at a glance. It changes nothing. */
export function statusCommand(environment: Environment, output: Output = process.stdout): Command {
  return withStoreOptions(new Command('status'))
    .description('show how a store and its server are')
    .option('--server <url>', 'ask this server whether it is ready (default: the public URL of the last one)')
    .option('--files <dir>', 'directory or S3 of exported files (MILLRACE_FILES; default: files in the data directory)')
    .option('--free-disk <size>', 'disk that exports leave free (MILLRACE_FREE_DISK; default 1G)', parseByteSize)
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (flags: Flags) => {
      const store = readStore(flags, environment)
      const places = placesOf(store, flags, environment)
      const url = flags.server === undefined ? undefined : readServerUrl(flags.server, '--server')
      const status = await withStoreAsItIs(store, (pool, connection) =>
        readStoreStatus({
          pool,
          connection,
          ...places,
          url,
          now: new Date(),
        }),
      )
      if (flags.json) printJson(output, { store: placeOf(store), ...status })
      else print(output, store, status)
      if (status.problems.length > 0) process.exitCode = 1
    })
}

/** Without migrating it: whoever looks changes nothing. */
async function withStoreAsItIs<T>(store: Store, work: (pool: Pool, connection: PoolConfig) => Promise<T>): Promise<T> {
  const database = await openDatabase(store, { log: () => {}, poolSize: statusConnections, mustExist: true })
  try {
    return await work(database.pool, database.connection)
  } finally {
    await database.close()
  }
}

function placesOf(store: Store, flags: Flags, environment: Environment) {
  const files = flags.files ?? environment.MILLRACE_FILES
  // Nothing is sent there, so that clear text is no matter.
  const place = files ? readFilesPlace(files, true) : defaultFilesDirectory(store)
  const floorBytes = flags.freeDisk ?? stated(environment, 'MILLRACE_FREE_DISK', parseByteSize) ?? freeDiskBytesDefault
  const isOnDisk = typeof place === 'string'
  return {
    floorBytes: isOnDisk ? floorBytes : 0,
    disksOf: (id: string) => [
      ...(isOnDisk ? [{ disk: 'files' as const, directory: join(place, id) }] : []),
      ...(store.kind === 'embedded' ? [{ disk: 'data' as const, directory: store.directory }] : []),
    ],
  }
}

/** The URL of a database may hold a password. */
const placeOf = (store: Store): string => (store.kind === 'embedded' ? store.directory : 'a PostgreSQL of its own')

function print(output: Output, store: Store, status: StoreStatus): void {
  const { id, postgresql, migrations, server, disks, problems } = status
  const lines: [string, string][] = [
    ['store', `${placeOf(store)}${id === undefined ? '' : `, ${id}`}`],
    ['server', serverText(server)],
    ...(server?.certificateValidTo
      ? [['certificate', `valid until ${server.certificateValidTo.toISOString()}`] as [string, string]]
      : []),
    ...figureLines(status),
    ['database', `PostgreSQL ${postgresql}, ${migrationText(migrations)}`],
    ...disks.map(({ disk, directory, freeBytes }): [string, string] => [
      `disk of ${disk}`,
      `${bytesText(freeBytes)} free at ${directory}`,
    ]),
  ]
  printTable(output, ['STATUS', problems.length === 0 ? 'all is well' : `${problems.length} to look at`], lines)
  for (const problem of problems) output.write(`! ${problem}\n`)
}

function serverText(server: StoreStatus['server']): string {
  if (server === undefined) return 'none yet'
  const { url, readiness, reason } = server
  return `${url} ${readiness ? (readiness.ready ? 'is ready' : readiness.status) : `does not answer (${reason})`}`
}

function figureLines({ figures, packs }: StoreStatus): [string, string][] {
  if (!figures) return []
  const { jobs, partitions, workers, unpacked, tasksReady, tasksActive } = figures
  const told = jobStates.flatMap((state) => (jobs[state]! > 0 ? [`${formatCount(jobs[state]!)} ${state}`] : []))
  const waits = Math.round(Math.max(figures.oldestPlanSeconds, figures.oldestPartitionSeconds))
  return [
    ['workers', `${workers} alive`],
    ['exports', told.join(', ') || 'none'],
    [
      'queue',
      `${partitions.waiting} partitions wait, ${partitions.running} run; the oldest has waited ${waits} s; ${tasksReady} tasks are ready, ${tasksActive} at work`,
    ],
    ['packs', `about ${formatCount(packs ?? 0)}; ${formatCount(unpacked)} to be made`],
    [
      'connections',
      `${figures.connectionsOpen} of ${figures.connectionsAllowed} open; the database has ${bytesText(figures.databaseBytes)}`,
    ],
  ]
}

const migrationText = ({ missing, unknown }: StoreStatus['migrations']): string => {
  if (unknown.length > 0) return `migrated by a newer Millrace (${unknown.join(', ')})`
  return missing.length > 0 ? `migrations missing: ${missing.join(', ')}` : 'all migrations made'
}

/** In units of which there are a few. */
function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(bytes, 1)) / 10)))
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}
