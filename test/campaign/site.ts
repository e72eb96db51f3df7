import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from 'pg'
import { type Database, openDatabase } from '../../src/database/connection.ts'
import { migrate } from '../../src/database/migrate.ts'
import { storeId } from '../../src/database/setting.ts'
import { BreakableLink } from './breakable-link.ts'
import { ExternalPostgres } from './external-postgres.ts'
import type { SiteKind } from './fault-plan.ts'
import { freePort } from './free-port.ts'
import { keepHistory } from './history.ts'
import { processesBelow, signalAll } from './processes.ts'
import { ServeProcess } from './serve-process.ts'

const standbyPollMs = 100

/** A store with its servers, as somebody runs it, and what can be done to its database. */
export interface Site {
  readonly kind: SiteKind
  readonly servers: readonly ServeProcess[]
  /** Reaches the database whatever happens to the link of the servers. */
  readonly pool: Pool
  /** Between the servers and their database; none where they speak through a socket of the file system. */
  readonly link: BreakableLink | undefined
  /** For commands on the store. */
  readonly storeFlags: readonly string[]
  /** Where the files of this store's jobs lie. */
  readonly files: string
  /** The processes of the database, the postmaster first. */
  readonly databasePids: () => readonly number[]
  /** Brings the database back after its processes were killed, where no program does. */
  readonly reviveDatabase: () => Promise<void>
  /** Kills the primary and promotes its standby. */
  readonly failOver: (() => Promise<void>) | undefined
  readonly close: () => Promise<void>
}

/** What differs between the kinds of sites. */
interface Ground {
  readonly database: Database
  readonly link?: BreakableLink
  readonly flags: (index: number) => readonly string[]
  readonly databasePids: () => readonly number[]
  readonly reviveDatabase?: () => Promise<void>
  readonly failOver?: () => Promise<void>
  readonly end: () => Promise<void>
}

/** Makes an empty store of a kind and starts its servers. */
export async function openSite(kind: SiteKind, count: number): Promise<Site> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-campaign-'))
  const ground = await { embedded: embeddedGround, external: externalGround, standby: standbyGround }[kind](directory)
  const { database, link, flags } = ground
  await migrate(database.pool)
  await keepHistory(database.pool)
  const files = join(directory, 'files')
  const servers: ServeProcess[] = []
  for (let index = 0; index < count; index++) {
    const own = ['--files', files, ...(servers[0] ? ['--public-url', servers[0].url] : [])]
    servers.push(new ServeProcess(await freePort(), [...flags(index), ...own]))
    await servers[index]!.start()
  }
  return {
    kind,
    servers,
    pool: database.pool,
    link,
    storeFlags: flags(0),
    files: join(files, await storeId(database.pool)),
    databasePids: ground.databasePids,
    reviveDatabase: ground.reviveDatabase ?? (async () => {}),
    failOver: ground.failOver,
    close: async () => {
      for (const server of servers) server.signal('SIGCONT')
      await Promise.all(servers.map((server) => server.kill()))
      await database.close()
      await link?.close()
      await ground.end()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function embeddedGround(directory: string): Promise<Ground> {
  const data = join(directory, 'data')
  const database = await openDatabase({ kind: 'embedded', directory: data }, { log: () => {} })
  const { host = '', user, database: name } = database.connection
  const url = `postgresql://${user}@localhost/${name}?host=${encodeURIComponent(host)}`
  return {
    database,
    flags: (index) => (index === 0 ? ['--data', data] : ['--database-url', url]),
    databasePids: () =>
      withChildren(Number(readFileSync(join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])),
    end: async () => {},
  }
}

async function externalGround(directory: string): Promise<Ground> {
  const server = await ExternalPostgres.create(join(directory, 'primary'))
  await server.start()
  const link = await BreakableLink.open(server.port)
  return {
    database: await openDatabase({ kind: 'external', url: urlOf(server.port) }, { log: () => {} }),
    link,
    flags: () => ['--database-url', urlOf(link.port)],
    databasePids: () => withChildren(server.pid),
    reviveDatabase: () => server.revive(),
    end: () => server.end('SIGINT'),
  }
}

async function standbyGround(directory: string): Promise<Ground> {
  const primary = await ExternalPostgres.create(join(directory, 'primary'))
  const standby = await ExternalPostgres.standbyOf(primary, join(directory, 'standby'))
  await primary.start(['synchronous_standby_names=*'])
  await standby.start()
  await synchronous(primary)
  const link = await BreakableLink.open(primary.port)
  const steady = await BreakableLink.open(primary.port)
  return {
    database: await openDatabase({ kind: 'external', url: urlOf(steady.port) }, { log: () => {} }),
    link,
    flags: () => ['--database-url', urlOf(link.port)],
    databasePids: () => withChildren(primary.pid),
    failOver: async () => {
      await primary.killAll()
      await standby.promote()
      link.leadTo(standby.port)
      steady.leadTo(standby.port)
    },
    end: async () => {
      await steady.close()
      await primary.end('SIGINT')
      await standby.end('SIGINT')
    },
  }
}

/** Waits until what is committed on the primary is on the standby too. */
async function synchronous(primary: ExternalPostgres): Promise<void> {
  const client = await primary.connect()
  const sql = `select from pg_stat_replication where sync_state = 'sync'`
  while ((await client.query(sql)).rowCount === 0) await pause(standbyPollMs)
  await client.end()
}

const urlOf = (port: number): string => `postgresql://millrace@127.0.0.1:${port}/postgres`

const withChildren = (postmaster: number): number[] => [postmaster, ...processesBelow(postmaster)]

/** Everything of a site at once: servers and database. */
export function killEverything({ servers, databasePids }: Site): void {
  signalAll([...servers.flatMap(({ pid }) => pid ?? []), ...databasePids()], 'SIGKILL')
}
