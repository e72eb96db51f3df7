import { readFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { S3Client } from '@aws-sdk/client-s3'
import { Failure } from '../../failure.ts'
import { UnusableStore } from '../file-store.ts'
import { isAway, patiently, readPatienceMs, writePatienceMs } from './patience.ts'
import type { S3Place } from './s3-url.ts'

/** A connection that is not there by then, and one on which nothing was said for so long, is given up. */
const connectMsMax = 5_000
const silentMsMax = 20_000
/** A request with its answer's head: a piece of a file over a slow line. */
const requestMsMax = 120_000
/** Connections of a thread. */
const socketsMax = 512
/** Tries of one request by the SDK, which also sets the clock right by what the store says. */
const triesMax = 3
/** Stores of one's own have no regions, and want one named all the same. */
const nominalRegion = 'us-east-1'

/** How a request is sent: it ends when nobody waits for its answer any more. */
export interface Sent {
  readonly abortSignal: AbortSignal
}

/** Names what is in trouble and how; the caller hears of it once in a while. */
export type TellTrouble = (fault: UnusableStore) => void

/** Trouble is told once in this time, however many meet it. */
const troubleToldMs = 60_000

/** A bucket, a prefix in it, and how to ask for them. */
export class Bucket {
  readonly client: S3Client
  /** Signs links: the same but for the URL under which clients reach the store. */
  readonly linkClient: S3Client
  readonly place: S3Place
  readonly #tell: TellTrouble
  #told = Number.NEGATIVE_INFINITY

  /** @throws Failure when the file of authorities cannot be read */
  static async open(place: S3Place, tell: TellTrouble): Promise<Bucket> {
    const ca = place.ca === undefined ? undefined : await readAuthorities(place.ca)
    return new Bucket(place, ca, tell)
  }

  private constructor(place: S3Place, ca: Buffer | undefined, tell: TellTrouble) {
    this.place = place
    this.#tell = tell
    this.client = clientFor(place, place.endpoint, ca)
    this.linkClient = place.linkEndpoint === undefined ? this.client : clientFor(place, place.linkEndpoint, ca)
  }

  /** The bucket and a key of it, as requests name them. */
  at(path: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.place.bucket, Key: `${this.place.prefix}${path}` }
  }

  /** The path of a key. */
  pathOf(key: string): string {
    return key.slice(this.place.prefix.length)
  }

  /** For exports, which wait for a store that is away. @throws UnusableStore */
  ask<T>(question: (sent: Sent) => Promise<T>, signal: AbortSignal): Promise<T> {
    return patiently(
      () => question({ abortSignal: signal }),
      writePatienceMs,
      (fault) => this.#tellOnce(fault),
      signal,
    )
  }

  /** For who waits for an answer: however silent the store is, there is one in `readPatienceMs`. @throws UnusableStore */
  async askSoon<T>(question: (sent: Sent) => Promise<T>): Promise<T> {
    let last = new UnusableStore('away', `it has not answered for ${readPatienceMs / 1000} s`)
    const gone = new AbortController()
    const timer = setTimeout(() => {
      this.#tellOnce(last)
      gone.abort(last)
    }, readPatienceMs)
    const onTrouble = (fault: UnusableStore) => {
      last = fault
      if (!isAway(fault)) this.#tellOnce(fault)
    }
    try {
      const ask = () => question({ abortSignal: gone.signal })
      return await patiently(ask, readPatienceMs, onTrouble, gone.signal)
    } finally {
      clearTimeout(timer)
    }
  }

  #tellOnce(fault: UnusableStore): void {
    if (performance.now() - this.#told < troubleToldMs) return
    this.#told = performance.now()
    this.#tell(fault)
  }
}

function clientFor({ region, pathStyle }: S3Place, endpoint: string | undefined, ca: Buffer | undefined): S3Client {
  const agent = { keepAlive: true, maxSockets: socketsMax }
  return new S3Client({
    // An endpoint of the environment may be one without TLS, which only the flag allows.
    ...(endpoint === undefined ? { ignoreConfiguredEndpointUrls: true } : { endpoint, region: nominalRegion }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle: pathStyle,
    maxAttempts: triesMax,
    // Other stores than AWS know no checksums beside that of the signature, which every request has.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectMsMax,
      socketTimeout: silentMsMax,
      requestTimeout: requestMsMax,
      throwOnRequestTimeout: true,
      httpAgent: new Agent(agent),
      httpsAgent: new TlsAgent({ ...agent, ...(ca === undefined ? {} : { ca }) }),
    },
  })
}

async function readAuthorities(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code
    throw new Failure(`${file}, the authorities of the S3 store, cannot be read (${reason}).`, 'Mend ca= in --files.', {
      cause,
    })
  }
}
