import { lookup } from 'node:dns/promises'
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import program from '../package.json' with { type: 'json' }
import { AccessDirectory } from './access/directory.ts'
import { KeySets } from './access/issuers/key-sets.ts'
import type { OutboundRules } from './access/issuers/outbound.ts'
import { OutsideIssuers } from './access/issuers/outside-issuers.ts'
import { createAdministrator } from './access/registry/administrator.ts'
import { SecretChecks } from './access/registry/client-secret.ts'
import { loadSecret } from './access/secret.ts'
import { TokenLimits } from './access/tokens/token-limits.ts'
import { AuditTrail } from './audit/trail.ts'
import type { Store } from './config.ts'
import { type Database, openAnsweringPool, openDatabase } from './database/connection.ts'
import { errorReason } from './database/error-code.ts'
import { migrate } from './database/migrate.ts'
import { storeId, writeSetting } from './database/setting.ts'
import { becomeSoleServer } from './database/sole-server/sole-server.ts'
import { writeEngineEvent } from './engine/engine-log.ts'
import { EngineThreads } from './engine/engine-thread-pool.ts'
import { Failure } from './failure.ts'
import { DiskFloor } from './files/disk-floor.ts'
import { diskStore } from './files/disk-store.ts'
import { Certificate, type CertificateFiles } from './http/connection/certificate.ts'
import type { ConnectionBounds } from './http/connection/connection-bounds.ts'
import { isOutage } from './http/database-outage.ts'
import { FairQueue } from './http/fair-queue.ts'
import { inflatingBounds } from './http/files/inflating-bounds.ts'
import type { Rates } from './http/rates.ts'
import { writeBounds } from './http/records/write-bounds.ts'
import { RequestThreads } from './http/request-threads/request-thread-pool.ts'
import { buildServer } from './http/server.ts'
import { openProducer } from './jobs/queue.ts'

/** How a server is to run. */
export interface AppOptions {
  readonly store: Store
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** Under which URL clients reach the server; by default `http://{host}:{port}`, or `https:` with `tls`. */
  readonly publicUrl?: string
  /** The server speaks TLS, with the certificate in these files. */
  readonly tls?: CertificateFiles
  /** Addresses and networks of the proxies in front. */
  readonly proxies?: readonly string[]
  /** How often one may ask, and how long a connection may take; the defaults without. */
  readonly rates?: Rates
  readonly bounds?: ConnectionBounds
  /** Where exported files lie. */
  readonly filesDirectory: string
  /** So much disk exports leave free, there and where the embedded database lies; 0 for all the same. */
  readonly freeDiskBytes: number
  /** Engine threads, and partitions that each runs at a time. */
  readonly threads: number
  readonly concurrency: number
  /** Which servers may be asked for keys and about tokens. */
  readonly outbound: OutboundRules
  /** The life of an access token. */
  readonly tokenSeconds: number
  readonly log: Logger
}

/** A running server. */
export interface App {
  readonly publicUrl: string
  readonly database: Database
  /** The administrator's credential, when this start has made it: to be printed once. */
  readonly administrator: string | undefined
  /** Resolves when the server cannot go on. */
  readonly lost: Promise<Failure>
  /** Looks at the files of the certificate now, and not only at the next beat. */
  readonly reloadCertificate: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Constructs everything and starts it: the only place that does. */
export async function startApp(options: AppOptions): Promise<App> {
  const { log, store } = options
  const undo: (() => Promise<void>)[] = []
  const close = () => undoSteps(undo.splice(0))
  try {
    const certificate = options.tls && (await openCertificate(options.tls, options))
    undo.push(async () => certificate?.close())
    const database = await openDatabase(store, {
      answering: true,
      log: ({ event, ...details }) => log.info({ event, ...details }, 'database'),
    })
    undo.push(() => database.close())
    return await throughOutages(log, async () => {
      const opened = undo.length
      try {
        return await construct(database, certificate)
      } catch (error) {
        await undoSteps(undo.splice(opened))
        throw error
      }
    })
  } catch (error) {
    await close()
    throw error
  }

  async function construct(database: Database, certificate: Certificate | undefined): Promise<App> {
    await migrate(database.pool)
    if (store.kind === 'embedded') {
      const sole = await becomeSoleServer(database.connection, store.directory)
      undo.push(() => sole.release())
    }
    const producer = await openProducer(database.pool, (error) => log.error({ reason: errorReason(error) }, 'queue'))
    undo.push(() => producer.stop())

    const givenUp = Promise.withResolvers<Failure>()
    // A folder of the store's own: two stores that are given one directory must not tidy each other's files away.
    const filesDirectory = join(options.filesDirectory, await storeId(database.pool))
    const floor = {
      directories: [filesDirectory, ...(store.kind === 'embedded' ? [store.directory] : [])],
      bytes: options.freeDiskBytes,
    }
    const files = diskStore(
      filesDirectory,
      new DiskFloor(floor.directories, floor.bytes, (shortage) => log.warn(shortage, 'too little free disk')),
    )
    const ownDatabase = database.embedded
    const threadData = { connection: database.connection, ownDatabase, filesDirectory, floor }
    const threads = new EngineThreads(
      { ...threadData, concurrency: options.concurrency },
      (event, details) => writeEngineEvent(log, event, details),
      (cause) => givenUp.resolve(new Failure(`${cause.message}.`, 'The log says why.', { cause })),
    )
    undo.push(() => threads.stop())
    await threads.start(options.threads)

    const writing = openAnsweringPool(database.connection, writeBounds.runningMax)
    undo.push(() => writing.end())
    const audit = new AuditTrail(database.pool, (error) => log.error({ reason: errorReason(error) }, 'audit trail'))
    undo.push(() => audit.close())

    const queue = new FairQueue(writeBounds)
    const requestThreads = new RequestThreads(threadData, {
      writes: queue,
      note: (entry) => audit.note(entry),
      log: (level, fields, text) => log[level](fields, text),
    })
    undo.push(() => requestThreads.stop())

    const state = { ready: true, publicUrl: options.publicUrl ?? '' }
    const now = () => new Date()
    // Counts from the start of the process, whatever the machine's clock is set to.
    const elapsed = () => performance.now()
    const keySets = new KeySets(elapsed, options.outbound)
    const server = buildServer(
      {
        pool: database.pool,
        writes: { pool: writing, queue },
        threads: requestThreads,
        inflating: new FairQueue(inflatingBounds),
        enqueue: producer.enqueue,
        files,
        directory: new AccessDirectory(database.pool, elapsed),
        keySets,
        outside: new OutsideIssuers(database.pool, keySets, options.outbound, now, elapsed),
        secrets: new SecretChecks(),
        tokenLimits: new TokenLimits(elapsed),
        tokenSeconds: options.tokenSeconds,
        audit,
        contentSecret: await loadSecret(database.pool, 'content-link'),
        get publicUrl() {
          return state.publicUrl
        },
        version: program.version,
        started: now(),
        ready: () => state.ready,
      },
      log,
      { ...options, certificate },
    )
    undo.push(async () => {
      state.ready = false
      await server.close()
    })
    await listen(server, options)
    state.publicUrl ||= localUrl(options, (server.server.address() as AddressInfo).port)
    certificate?.follow(server.server as Server)
    await writeSetting(database.pool, 'public_url', state.publicUrl)
    const administrator = await createAdministrator(database.pool)
    return {
      publicUrl: state.publicUrl,
      database,
      administrator,
      lost: Promise.race([database.lost, givenUp.promise]),
      reloadCertificate: async () => certificate?.reload(),
      close,
    }
  }
}

/** Undoes what was done, the last first. A database that is away has nothing to be told any more. */
async function undoSteps(steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps.toReversed()) {
    await step().catch((error) => {
      if (!isOutage(error)) throw error
    })
  }
}

/** A start whose database goes away meanwhile, as when one of its processes dies, begins again after a moment, for this long. */
const startMsMax = 60_000
const startPauseMs = 1_000

async function throughOutages(log: Logger, start: () => Promise<App>): Promise<App> {
  const began = performance.now()
  for (;;) {
    try {
      return await start()
    } catch (error) {
      if (!isOutage(error)) throw error
      const reason = errorReason(error)
      if (performance.now() - began > startMsMax) {
        throw new Failure(
          `The database goes away again and again while the server starts: ${reason}.`,
          'See that the database runs and can be reached, and start Millrace again.',
          { cause: error },
        )
      }
      log.warn({ reason }, 'the database went away during the start, which begins again')
      await sleep(startPauseMs)
    }
  }
}

async function listen(server: ReturnType<typeof buildServer>, { host, port }: AppOptions): Promise<void> {
  try {
    await server.listen({ host: await boundAddress(host), port })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw cause
    const reason = code === 'EADDRINUSE' ? 'is in use' : 'cannot be used'
    throw new Failure(`Port ${port} of ${host} ${reason}.`, 'Choose another one with --port (or --host).', { cause })
  }
}

/** Of the addresses of `localhost` Fastify would give each but one a server of its own, which none of our bounds holds for. */
const boundAddress = async (host: string): Promise<string> =>
  host === 'localhost' ? (await lookup(host, { order: 'ipv4first' })).address : host

function openCertificate(files: CertificateFiles, { publicUrl, log }: AppOptions): Promise<Certificate> {
  if (publicUrl?.startsWith('http:')) {
    throw new Failure(
      `The server speaks TLS, but its public URL is ${publicUrl}.`,
      'Write it with https:, or leave out --tls-cert and --tls-key.',
    )
  }
  return Certificate.open(files, log)
}

const localUrl = ({ host, tls }: AppOptions, port: number): string =>
  `${tls ? 'https' : 'http'}://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${port}`

/** Where a server of this store keeps what is not in its database. */
export const localDirectory = (store: Store): string =>
  store.kind === 'embedded' ? store.directory : resolve('millrace-data')

/** Where the files of exports lie when nothing else is said. */
export const defaultFilesDirectory = (store: Store): string => join(localDirectory(store), 'files')
