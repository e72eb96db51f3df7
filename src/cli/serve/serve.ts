import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Logger } from 'pino'
import { tokenSecondsDefault, tokenSecondsMax, tokenSecondsMin } from '../../access/tokens/access-token.ts'
import { type App, defaultFilesDirectory, localDirectory, startApp } from '../../app.ts'
import { readStore, type Store, type StoreFlags } from '../../config.ts'
import { Failure } from '../../failure.ts'
import { fhirBase } from '../../fhir/service-urls.ts'
import { fillSandbox, sandboxClient, sandboxTenant } from '../../sandbox.ts'
import { withStoreOptions } from '../store-options.ts'
import { parseByteSize } from './byte-size.ts'
import { fewConnections } from './connection-need.ts'
import { readFilesPlace } from './files-flag.ts'
import { type ListeningFlags, readListening, refuseClearText } from './listening.ts'
import { type LogFlags, logFormatsOffered, logLevelsOffered, openLog, readLogging } from './log-options.ts'
import { type MetricsFlags, readMetrics } from './metrics-options.ts'
import { readPublicUrl } from './public-url.ts'
import { sandboxGuide } from './sandbox-guide.ts'

type Environment = Readonly<Record<string, string | undefined>>
interface Flags extends StoreFlags, ListeningFlags, MetricsFlags, LogFlags {
  readonly host?: string
  readonly port?: number
  readonly publicUrl?: string
  readonly files?: string
  readonly freeDisk?: number
  readonly workers?: number
  readonly allowPrivateAddresses?: boolean
  readonly tokenSeconds?: number
  readonly sandbox?: boolean
}

const hostDefault = '127.0.0.1'
const portDefault = 8080
/** A gigabyte: a database has time to be noticed before its disk is full. */
export const freeDiskBytesDefault = 1024 ** 3
const workersMax = 64
/** More threads than this would rather wait for the database than export; each has up to 17 connections. */
const workersDefaultMax = 8

const help = `
/livez answers while the process runs, /readyz while it takes requests. With --metrics or --metrics-token-file /metrics has figures for
Prometheus. Logs are lines on standard output: JSON, on a terminal text.

Examples:
  $ bin/millrace serve
  $ bin/millrace serve --host 0.0.0.0 --port 443 --public-url https://fhir.example.org \\
      --tls-cert /etc/millrace/tls.crt --tls-key /etc/millrace/tls.key
  $ bin/millrace serve --host 10.1.2.3 --public-url https://fhir.example.org --trust-proxy 10.1.2.9
  $ bin/millrace serve --database-url postgresql://millrace@db/millrace --files /srv/millrace
  $ bin/millrace serve --database-url postgresql://millrace@db/millrace \\
      --files 's3://exports/millrace?endpoint=https://s3.example.org'
  $ bin/millrace serve --metrics 127.0.0.1:9464 --no-access-log
  $ bin/millrace serve --sandbox`

/** `millrace serve`: runs the server until it is told to stop. */
export function serveCommand(environment: Environment): Command {
  return withStoreOptions(new Command('serve'))
    .description('run the server')
    .option('--host <host>', `address to listen on (MILLRACE_HOST; default ${hostDefault})`)
    .option('--port <port>', `port to listen on (MILLRACE_PORT; default ${portDefault}; 0: any free one)`, parsePort)
    .option(
      '--public-url <url>',
      'URL under which clients reach the server (MILLRACE_PUBLIC_URL; default http://host:port)',
    )
    .option('--tls-cert <file>', 'certificate and chain, PEM; read again when it changes (MILLRACE_TLS_CERT)')
    .option('--tls-key <file>', 'its private key, PEM (MILLRACE_TLS_KEY)')
    .option(
      '--trust-proxy <list>',
      'addresses of proxies in front, whose X-Forwarded-For counts (MILLRACE_TRUST_PROXY)',
    )
    .option('--plain-http', 'accept clear text on addresses that others reach (MILLRACE_PLAIN_HTTP)')
    .option(
      '--rate-limits <list>',
      'requests per second (MILLRACE_RATE_LIMITS; default client=1000,address=500,poll=20)',
    )
    .option(
      '--files <where>',
      'directory of exported files, or s3://bucket/prefix?… (MILLRACE_FILES; default: files in the data directory)',
    )
    .option(
      '--free-disk <size>',
      `disk that exports leave free, such as 512M; 0 for none (MILLRACE_FREE_DISK; default 1G)`,
      parseByteSize,
    )
    .option('--workers <count>', 'threads that export (MILLRACE_WORKERS; default: half of the cores)', parseWorkers)
    .option(
      '--token-seconds <count>',
      `life of an access token, ${tokenSecondsMin} to ${tokenSecondsMax} (MILLRACE_TOKEN_SECONDS; default ${tokenSecondsDefault})`,
      parseTokenSeconds,
    )
    .option(
      '--allow-private-addresses',
      'fetch key sets from private addresses and by plain http too, for development (MILLRACE_ALLOW_PRIVATE_ADDRESSES=1)',
    )
    .option(
      '--metrics <host:port>',
      'address on which /metrics is told to Prometheus (MILLRACE_METRICS; default: none)',
    )
    .option(
      '--metrics-token-file <file>',
      'token that whoever asks for metrics must have; without --metrics they are then on the port of clients (MILLRACE_METRICS_TOKEN_FILE)',
    )
    .addOption(
      new Option(
        '--log-level <level>',
        'what is logged: this, and what is worse (MILLRACE_LOG_LEVEL; default info)',
      ).choices([...logLevelsOffered]),
    )
    .addOption(
      new Option(
        '--log-format <format>',
        'lines of the log (MILLRACE_LOG_FORMAT; default text on a terminal, else json)',
      ).choices([...logFormatsOffered]),
    )
    .option('--no-access-log', 'log no line for each answer (MILLRACE_ACCESS_LOG=off)')
    .option('--sandbox', "serve the population of the operation's page, and print how to call it")
    .addHelpText('after', help)
    .action(async (flags: Flags) => {
      const logging = readLogging(flags, environment, process.stdout.isTTY === true)
      const log = openLog(logging)
      const options = serverOptions(flags, environment)
      await refuseClearText(options.host, options)
      const metrics = await readMetrics(flags, environment)
      const app = await startApp({ ...options, metrics, accessLog: logging.access, log })
      if (options.tls) process.on('SIGHUP', () => app.reloadCertificate())
      if (options.plainHttp && !options.tls)
        log.warn({ host: options.host }, 'clear text: nothing protects data on their way')
      try {
        const few = await fewConnections(app.database.pool, options.threads)
        if (few) log.warn(few, 'too few connections')
        if (app.administrator !== undefined)
          process.stderr.write(process.stderr.isTTY ? administratorText(app.administrator) : hiddenText)
        if (flags.sandbox) await openSandbox(app, options.store)
        process.stderr.write(`Millrace serves ${app.publicUrl} (stop with Ctrl-C)\n`)
        await untilStopped(app, log)
      } finally {
        const began = performance.now()
        setTimeout(() => process.exit(1), closeMsMax).unref()
        await app.close()
        log.info({ ms: Math.round(performance.now() - began) }, 'stopped')
      }
    })
}

const administratorText = (credential: string): string =>
  `The administrator's credential, shown this once (a new one: bin/millrace admin reset):\n  ${credential}\n`

/** What goes to standard error without a terminal is kept by somebody, and read by others. */
const hiddenText =
  "The administrator's credential is shown on a terminal only. Make one when it is needed: bin/millrace admin reset\n"

function serverOptions(flags: Flags, environment: Environment) {
  const store = readStore(flags, environment)
  const port = flags.port ?? stated(environment, 'MILLRACE_PORT', parsePort) ?? portDefault
  const host = flags.host ?? (environment.MILLRACE_HOST || hostDefault)
  const publicUrl = flags.publicUrl ?? environment.MILLRACE_PUBLIC_URL
  const files = flags.files ?? environment.MILLRACE_FILES
  const listening = readListening(flags, environment)
  const threadsDefault = Math.min(workersDefaultMax, Math.max(1, Math.floor(availableParallelism() / 2)))
  return {
    store,
    host,
    port,
    ...(publicUrl ? { publicUrl: readPublicUrl(publicUrl, environment) } : {}),
    ...listening,
    files: files ? readFilesPlace(files, listening.plainHttp) : defaultFilesDirectory(store),
    freeDiskBytes: flags.freeDisk ?? stated(environment, 'MILLRACE_FREE_DISK', parseByteSize) ?? freeDiskBytesDefault,
    threads: flags.workers ?? stated(environment, 'MILLRACE_WORKERS', parseWorkers) ?? threadsDefault,
    concurrency: partitionsPerThread,
    tokenSeconds:
      flags.tokenSeconds ?? stated(environment, 'MILLRACE_TOKEN_SECONDS', parseTokenSeconds) ?? tokenSecondsDefault,
    outbound: {
      privateAddresses: flags.allowPrivateAddresses ?? isOn(environment, 'MILLRACE_ALLOW_PRIVATE_ADDRESSES'),
    },
  }
}

/** A server that has not closed by then, for example because of a slow download, ends all the same. */
const closeMsMax = 10_000

/** A number that an environment variable states; its fault is told like that of a flag. */
export function stated(environment: Environment, name: string, parse: (text: string) => number): number | undefined {
  const text = environment[name]
  if (!text) return undefined
  try {
    return parse(text)
  } catch (cause) {
    throw new Failure(`${name} is ${JSON.stringify(text)}.`, (cause as Error).message, { cause })
  }
}

/** A switch that an environment variable states. */
function isOn(environment: Environment, name: string): boolean {
  const text = environment[name]
  if (!text || text === '0') return false
  if (text === '1') return true
  throw new Failure(`${name} is ${JSON.stringify(text)}.`, 'Set it to 1 or 0.')
}

/** Partitions that a thread runs at a time: one reads while the other waits for the disk or for deflate. */
const partitionsPerThread = 2

/** Fills the sandbox and says how to call it. */
async function openSandbox(app: App, store: Store): Promise<void> {
  process.stderr.write('Loading the sandbox …\n')
  await fillSandbox(app.database.pool, () => {})
  const { clientId, keyFile } = await sandboxClient(app.database.pool, localDirectory(store))
  process.stderr.write(sandboxGuide(fhirBase(app.publicUrl, sandboxTenant), clientId, keyFile))
}

/** Resolves on SIGINT or SIGTERM; throws what keeps the server from going on. */
async function untilStopped(app: App, log: Logger): Promise<void> {
  const stopped = Promise.withResolvers<NodeJS.Signals>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopped.resolve)
  const end = await Promise.race([stopped.promise, app.lost])
  if (typeof end !== 'string') {
    log.error({ reason: end.message }, 'stopping')
    throw end
  }
  log.info({ signal: end }, 'stopping')
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}

function parseWorkers(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= workersMax) return Number(text)
  throw new InvalidArgumentError(`Workers are a number from 1 to ${workersMax}.`)
}

function parseTokenSeconds(text: string): number {
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (seconds >= tokenSecondsMin && seconds <= tokenSecondsMax) return seconds
  throw new InvalidArgumentError(`The life of a token is ${tokenSecondsMin} to ${tokenSecondsMax} seconds.`)
}
