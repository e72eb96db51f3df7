import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { resolve } from 'node:path'
import { Failure } from '../../failure.ts'
import type { CertificateFiles } from '../../http/connection/certificate.ts'
import { type Rates, ratesDefault } from '../../http/rates.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Flags of the command line about the network. */
export interface ListeningFlags {
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly trustProxy?: string
  readonly plainHttp?: boolean
  readonly rateLimits?: string
}

/** How a server is to meet the network. */
export interface Listening {
  readonly tls?: CertificateFiles
  readonly proxies: readonly string[]
  /** Somebody has said that what crosses the network in clear text is protected otherwise, or is nobody's secret. */
  readonly plainHttp: boolean
  readonly rates: Rates
}

const rateMax = 1_000_000
const proxiesMax = 100

/**
 * Flags before `MILLRACE_TLS_CERT`, `MILLRACE_TLS_KEY`, `MILLRACE_TRUST_PROXY`, `MILLRACE_PLAIN_HTTP` and `MILLRACE_RATE_LIMITS`.
 * @throws Failure for one of certificate and key without the other, or a list that cannot be read
 */
export function readListening(flags: ListeningFlags, environment: Environment): Listening {
  const cert = flags.tlsCert ?? environment.MILLRACE_TLS_CERT
  const key = flags.tlsKey ?? environment.MILLRACE_TLS_KEY
  if (Boolean(cert) !== Boolean(key)) {
    throw new Failure(
      `${cert ? 'A TLS certificate is given without its key' : 'A TLS key is given without its certificate'}.`,
      'Give both: --tls-cert FILE and --tls-key FILE (MILLRACE_TLS_CERT, MILLRACE_TLS_KEY).',
    )
  }
  return {
    ...(cert && key ? { tls: { cert: resolve(cert), key: resolve(key) } } : {}),
    proxies: readProxies(flags.trustProxy ?? environment.MILLRACE_TRUST_PROXY ?? ''),
    plainHttp: flags.plainHttp ?? readSwitch(environment.MILLRACE_PLAIN_HTTP ?? ''),
    rates: readRates(flags.rateLimits ?? environment.MILLRACE_RATE_LIMITS ?? ''),
  }
}

/**
 * Health records do not cross a network in clear text because somebody forgot something.
 * @throws Failure when others can reach the address, the server has no TLS, and nobody has said what protects it
 */
export async function refuseClearText(host: string, { tls, proxies, plainHttp }: Listening): Promise<void> {
  if (tls || proxies.length > 0 || plainHttp || (await isLoopback(host))) return
  throw new Failure(
    `Without TLS, patients' data would cross the network from ${host} in clear text, and tokens with it.`,
    [
      'Give --tls-cert FILE and --tls-key FILE,',
      'or name the proxy in front that speaks TLS with --trust-proxy ADDRESS,',
      'or listen on 127.0.0.1, or accept clear text with --plain-http.',
    ].join(' '),
  )
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether nobody but this machine reaches the address. A name counts by all its addresses; an unknown one fails when it is listened on. */
async function isLoopback(host: string): Promise<boolean> {
  const found = await lookup(host, { all: true }).catch(() => [])
  return found.every(({ address, family }) => loopback.check(address, family === 6 ? 'ipv6' : 'ipv4'))
}

function readProxies(text: string): string[] {
  const entries = list(text)
  const wrong = entries.find((entry) => !isNetwork(entry))
  if (wrong === undefined && entries.length <= proxiesMax) return entries
  throw new Failure(
    wrong === undefined ? `More than ${proxiesMax} proxies are trusted.` : `${JSON.stringify(wrong)} is no proxy.`,
    'Write --trust-proxy (MILLRACE_TRUST_PROXY) as addresses or networks with commas between: 10.1.2.3,10.8.0.0/16,fd00::/8.',
  )
}

/** An address, or a network that is not the whole world. */
function isNetwork(entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  if (prefix === undefined) return true
  return /^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= (version === 4 ? 32 : 128)
}

function readSwitch(text: string): boolean {
  if (text === '' || text === '0' || text === 'false') return false
  if (text === '1' || text === 'true') return true
  throw new Failure(`MILLRACE_PLAIN_HTTP is ${JSON.stringify(text)}.`, 'Set it to 1, or leave it out.')
}

/** Reads `client=1000,address=500,poll=off`. What is not named keeps its default. */
function readRates(text: string): Rates {
  const rates: Record<string, number | undefined> = { ...ratesDefault }
  for (const entry of list(text)) {
    const [, name = '', value = ''] = /^(client|address|poll)=(off|\d{1,7})$/.exec(entry) ?? []
    const rate = value === 'off' ? undefined : Number(value)
    if (name === '' || (rate !== undefined && (rate < 1 || rate > rateMax))) {
      throw new Failure(
        `The rate limit ${JSON.stringify(entry)} cannot be read.`,
        `Write --rate-limits (MILLRACE_RATE_LIMITS) as client=1000,address=500,poll=20: requests per second from 1 to ${rateMax}, or off.`,
      )
    }
    rates[name] = rate
  }
  return rates as unknown as Rates
}

const list = (text: string): string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
