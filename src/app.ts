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
import { measureEngineEvent, writeEngineEvent } from './engine/engine-log.ts'
import { EngineThreads } from './engine/engine-thread-pool.ts'
import { Failure } from './failure.ts'
import { checkFiles, type FilesPlace, openFiles } from './files/files-place.ts'
import type { S3Place } from './files/s3/s3-url.ts'
import { Certificate, type CertificateFiles } from './http/connection/certificate.ts'
import type { ConnectionBounds } from './http/connection/connection-bounds.ts'
import { isOutage } from './http/database-outage.ts'
import { FairQueue } from './http/fair-queue.ts'
import { inflatingBounds } from './http/files/inflating-bounds.ts'
import type { Rates } from './http/rates.ts'
import { writeBounds } from './http/records/write-bounds.ts'
import { RequestThreads } from './http/request-threads/request-thread-pool.ts'
import { buildServer } from './http/server.ts'
import { listenForMetrics, type MetricsAddress } from './http/watching/metrics-listener.ts'
import type { MetricsPage } from './http/watching/metrics-page.ts'
import { openProducer } from './jobs/queue.ts'
import { Readiness } from './observation/readiness.ts'
import { serverSources, type WatchedDisk } from './observation/server-sources.ts'
import type { Sample } from './telemetry/meter.ts'
import { MetricRegistry } from './telemetry/metric-registry.ts'
import { measurePool } from './telemetry/pool-samples.ts'
import { ThreadMeasures } from './telemetry/thread-measures.ts'

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
  /** Where exported files lie: a directory, or S3. */
  readonly files: string | S3Place
  /** So much disk exports leave free, there and where the embedded database lies; 0 for all the same. */
  readonly freeDiskBytes: number
  /** Engine threads, and partitions that each runs at a time. */
  readonly threads: number
  readonly concurrency: number
  /** Which servers may be asked for keys and about tokens. */
  readonly outbound: OutboundRules
  /** The life of an access token. */
  readonly tokenSeconds: number
  /** Where metrics are told: on an address of their own, or on the same port for whoever has the token; nowhere without. */
  readonly metrics?: { readonly address?: MetricsAddress; readonly token?: string }
  /** A line for each answer; there is one unless this is false. */
  readonly accessLog?: boolean
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
  const registry = new MetricRegistry()
  // Counts from the start of the process, whatever the machine's clock is set to.
  const elapsed = () => performance.now()
  const began = elapsed()
  const undo: (() => Promise<void>)[] = []
  const close = () => undoSteps(undo.splice(0))
  try {
    const certificate = options.tls && (await openCertificate(options.tls, options))
    undo.push(async () => certificate?.close())
    const database = await openDatabase(store, {
      answering: true,
      log: ({ event, ...details }) => {
        if (event === 'database-lost') registry.count('millrace_embedded_restarts_total')
        log.info({ event, ...details }, 'database')
      },
    })
    undo.push(() => database.close())
    const answering = measurePool(database.pool, 'answering', registry)
    return await throughOutages(log, async () => {
      const opened = undo.length
      try {
        return await construct(database, answering, certificate)
      } catch (error) {
        await undoSteps(undo.splice(opened))
        throw error
      }
    })
  } catch (error) {
    await close()
    throw error
  }

  async function construct(
    database: Database,
    answering: () => Sample[],
    certificate: Certificate | undefined,
  ): Promise<App> {
    const { applied } = await migrate(database.pool)
    if (applied.length > 0) log.info({ migrations: applied }, 'schema migrated')
    if (store.kind === 'embedded') {
      const sole = await becomeSoleServer(database.connection, store.directory)
      undo.push(() => sole.release())
    }
    const producer = await openProducer(database.pool, (error) => log.error({ reason: errorReason(error) }, 'queue'))
    undo.push(() => producer.stop())

    const givenUp = Promise.withResolvers<Failure>()
    const place = filesPlace(options, await storeId(database.pool))
    await checkFiles(place, (text) => log.warn(text))
    const files = await openFiles(place, {
      short: (shortage) => log.warn(shortage, 'too little free disk'),
      unusable: (trouble) => log.warn(trouble, 'store of files cannot be used'),
    })
    const ownDatabase = database.embedded
    const threadData = { connection: database.connection, ownDatabase, files: place }
    const measures = new ThreadMeasures(registry, elapsed)
    const threads = new EngineThreads(
      { ...threadData, concurrency: options.concurrency },
      (event, details) => {
        measureEngineEvent(registry, event, details)
        writeEngineEvent(log, event, details)
      },
      (cause) => givenUp.resolve(new Failure(`${cause.message}.`, 'The log says why.', { cause })),
      measures,
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
      measures,
    })
    undo.push(() => requestThreads.stop())

    const state = { publicUrl: options.publicUrl ?? '' }
    const now = () => new Date()
    const readiness = new Readiness(database.pool, files, () => threads.ready, elapsed)
    const { address, token } = options.metrics ?? {}
    const levels = [() => measures.samples(), answering, measurePool(writing, 'writing', registry)]
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
        meter: registry,
        version: program.version,
        started: now(),
        readiness,
        ...(token !== undefined && !address ? { metrics: { page: registry, token } } : {}),
      },
      log,
      { ...options, certificate, observed: (read) => levels.push(read) },
    )
    undo.push(async () => {
      readiness.stop()
      await server.close()
    })
    const observed = {
      ...{ version: program.version, connection: database.connection, levels, certificate },
      ...disksOf(place, options),
      threads: { configured: options.threads, ready: () => threads.ready },
      auditBacklog: () => audit.backlog,
    }
    registry.ask(serverSources(observed))
    const metrics = address && (await openMetrics(address, registry, token))
    undo.push(async () => metrics?.close())
    await listen(server, options)
    state.publicUrl ||= localUrl(options, (server.server.address() as AddressInfo).port)
    certificate?.follow(server.server as Server)
    await writeSetting(database.pool, 'public_url', state.publicUrl)
    const administrator = await createAdministrator(database.pool)
    const versions = { version: program.version, node: process.versions.node }
    const told = { url: state.publicUrl, ...(metrics ? { metrics: metrics.url } : {}), workers: options.threads }
    log.info({ ...versions, ...told, store: store.kind, ms: Math.round(elapsed() - began) }, 'started')
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

/** A room of the store's own: two stores that are given one directory or bucket must not tidy each other's files away. */
function filesPlace({ files, store, freeDiskBytes: bytes }: AppOptions, id: string): FilesPlace {
  if (typeof files !== 'string') return { ...files, prefix: `${files.prefix}${id}/` }
  const directory = join(files, id)
  const directories = [directory, ...(store.kind === 'embedded' ? [store.directory] : [])]
  return { kind: 'disk', directory, floor: { directories, bytes } }
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
  await listening({ host, port }, '--port (or --host)', async () =>
    server.listen({ host: await boundAddress(host), port }),
  )
}

function openMetrics(address: MetricsAddress, page: MetricsPage, token: string | undefined) {
  return listening(address, '--metrics', () => listenForMetrics(address, page, token))
}

/** Says what the operator can do about an address that cannot be had. */
async function listening<T>({ host, port }: MetricsAddress, flag: string, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen()
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException
    if (syscall === undefined) throw cause
    const reason = code === 'EADDRINUSE' ? 'is in use' : `cannot be used: ${code}`
    // Without its cause: a name that is not known would be taken for a database that is away, and the start begin again.
    throw new Failure(`Port ${port} of ${host} ${reason}.`, `Choose another one with ${flag}.`)
  }
}

/** Those that fill up: that of files, unless they lie in S3, and an embedded database's. */
function disksOf(place: FilesPlace, { store, freeDiskBytes: floorBytes }: AppOptions) {
  const disks: WatchedDisk[] = []
  if (place.kind === 'disk') disks.push({ disk: 'files', directory: place.directory })
  if (store.kind === 'embedded') disks.push({ disk: 'data', directory: store.directory })
  return { disks, floorBytes: place.kind === 'disk' ? floorBytes : undefined }
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
