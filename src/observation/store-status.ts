import type { Pool, PoolConfig } from 'pg'
import { errorReason } from '../database/error-code.ts'
import { migrationState } from '../database/migrate.ts'
import { readSetting } from '../database/setting.ts'
import { freeBytes } from '../files/disk-floor.ts'
import { type AnsweringServer, askServer } from './answering-server.ts'
import type { WatchedDisk } from './server-sources.ts'
import { readStoreFigures, type StoreFigures } from './store-figures.ts'

/** All that an operator is told of a store at once. What cannot be known, as of an older store, is undefined or left out. */
export interface StoreStatus {
  readonly id: string | undefined
  readonly postgresql: string
  readonly migrations: { readonly missing: readonly string[]; readonly unknown: readonly string[] }
  readonly figures: StoreFigures | undefined
  readonly packs: number | undefined
  readonly disks: readonly (WatchedDisk & { readonly freeBytes: number })[]
  readonly server: AnsweringServer | undefined
  /** What is wrong, in words. */
  readonly problems: readonly string[]
}

interface Asked {
  readonly pool: Pool
  readonly connection: PoolConfig
  /** Where the files of a store lie, by its id, and its embedded database. */
  readonly disksOf: (id: string) => readonly WatchedDisk[]
  /** What must be free of them. */
  readonly floorBytes: number
  /** The server to ask; else the one that served the store last. */
  readonly url: string | undefined
  readonly now: Date
}

/** A certificate that is not valid for longer is told, days. */
export const certificateDaysMin = 14
/** Connections of the database, of which a larger share than this is told when it is open. */
const openShareMax = 0.9

/** Reads all of it. The store is left as it is: what is missing of its schema is told. */
export async function readStoreStatus(asked: Asked): Promise<StoreStatus> {
  const { pool, connection } = asked
  const { rows } = await pool.query<{ version: string }>(`select current_setting('server_version') as version`)
  const migrations = await migrationState(pool)
  const isKnown = migrations.missing.length === 0 && migrations.unknown.length === 0
  const { rows: settings } = await pool.query<{ there: boolean }>(`select to_regclass('setting') is not null as there`)
  const hasSettings = settings[0]!.there
  const id = hasSettings ? await readSetting(pool, 'store_id') : undefined
  const url = asked.url ?? (hasSettings ? await readSetting(pool, 'public_url') : undefined)
  const faults: string[] = []
  const found = {
    id,
    postgresql: rows[0]!.version,
    migrations,
    figures: isKnown ? await figuresInTime(connection, faults) : undefined,
    packs: isKnown ? await countPacks(pool) : undefined,
    disks: id === undefined ? [] : await readDisks(asked.disksOf(id), faults),
    server: url === undefined ? undefined : await askServer(url),
  }
  return { ...found, problems: [...problemsOf(found, asked), ...faults] }
}

/** A table that is locked, or a database without a connection left, is what one wants to see on the page. */
async function figuresInTime(connection: PoolConfig, faults: string[]): Promise<StoreFigures | undefined> {
  try {
    return await readStoreFigures(connection)
  } catch (error) {
    faults.push(`figures cannot be had in time: ${errorReason(error)}`)
    return undefined
  }
}

async function readDisks(disks: readonly WatchedDisk[], faults: string[]): Promise<StoreStatus['disks']> {
  const found: StoreStatus['disks'][number][] = []
  for (const disk of disks) {
    try {
      found.push({ ...disk, freeBytes: await freeBytes(disk.directory) })
    } catch (error) {
      faults.push(`the disk of ${disk.disk} cannot be looked at: ${errorReason(error)}`)
    }
  }
  return found
}

/** As many as the database believes there are: to count them would take long. */
async function countPacks(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select greatest(reltuples, 0)::float8 as count from pg_class where oid = 'pack'::regclass`,
  )
  return rows[0]!.count
}

export function problemsOf(
  { migrations, figures, disks, server }: Omit<StoreStatus, 'problems'>,
  { floorBytes, now }: Pick<Asked, 'floorBytes' | 'now'>,
): string[] {
  const problems: string[] = []
  const { missing, unknown } = migrations
  if (missing.length > 0) problems.push('migrations are missing: the next start of a server makes them')
  if (unknown.length > 0) problems.push('a newer Millrace has migrated the store: use that version')
  if (server === undefined) problems.push('no server has served the store yet')
  else problems.push(...serverProblems(server, now))
  if (figures) problems.push(...figureProblems(figures, server?.readiness !== undefined))
  for (const disk of disks) {
    if (disk.freeBytes < floorBytes) problems.push(`too little disk is free for exports in ${disk.directory}`)
  }
  return problems
}

function serverProblems({ url, readiness, reason, certificateValidTo }: AnsweringServer, now: Date): string[] {
  const problems: string[] = []
  if (!readiness) return [`no server answers at ${url}: ${reason}`]
  if (!readiness.ready) problems.push(`the server takes no requests: ${readiness.status}`)
  const { disk, files, workers, queue } = readiness
  for (const [what, said] of Object.entries({ disk, files, workers, queue })) {
    if (said !== undefined) problems.push(`the server says: ${what} ${said}`)
  }
  const days = certificateValidTo && (certificateValidTo.getTime() - now.getTime()) / dayMs
  if (days !== undefined && days < 0) problems.push('the certificate has expired')
  else if (days !== undefined && days < certificateDaysMin)
    problems.push(`the certificate expires within ${Math.ceil(days)} days`)
  return problems
}

const dayMs = 86_400_000

function figureProblems(figures: StoreFigures, isServed: boolean): string[] {
  const { workers, connectionsOpen, connectionsAllowed } = figures
  return [
    ...(isServed && workers === 0 ? ['no worker is alive: nothing is exported'] : []),
    ...(connectionsOpen > connectionsAllowed * openShareMax
      ? [`${connectionsOpen} of ${connectionsAllowed} connections of the database are open`]
      : []),
  ]
}
