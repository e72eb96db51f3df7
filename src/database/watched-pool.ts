import pg from 'pg'
import { breakOff } from './break-off.ts'
import { beatMs, Pulse } from './pulse.ts'

/** How long the users of a pool wait, in milliseconds. */
export interface Patience {
  /** A database that says nothing for this long: whoever waits for it gets an error, and so does whoever comes. */
  readonly silenceMsMax: number
  /** One connection that is in use for this long is broken off; without, it may be used for ever. */
  readonly heldMsMax?: number
}

/** For answers to requests: ten seconds with everything around it. */
export const answeringPatience: Patience = { silenceMsMax: 7_000, heldMsMax: 130_000 }
/** For engines and commands, which would have to begin again: a busy disk may keep a database silent for some seconds. */
export const workingPatience: Patience = { silenceMsMax: 30_000 }

/** Known as an outage by http/database-outage.ts. */
const silentText = 'The database does not answer'

/**
 * A pool whose users do not wait for a database that says nothing: one that is paused, or behind a network that swallows everything.
 * Neither PostgreSQL nor the system would tell for a quarter of an hour. The event `waited` tells in milliseconds how long a connection was
 * waited for, in vain too.
 */
export class WatchedPool extends pg.Pool {
  readonly #pulse: Pulse
  readonly #heldBeatsMax: number
  /** Every open connection, with the beats for which it has been in use, or undefined. */
  readonly #clients = new Map<pg.PoolClient, number | undefined>()
  /** What those wait for who wait for a connection: it rejects when the database is silent. */
  #silence = silence()
  #silent = false

  constructor(config: pg.PoolConfig, { silenceMsMax, heldMsMax = Number.POSITIVE_INFINITY }: Patience) {
    super(config)
    this.#heldBeatsMax = heldMsMax / beatMs
    this.#pulse = new Pulse(config, silenceMsMax, (silent) => this.#beat(silent))
    this.on('connect', (client) => this.#clients.set(client, undefined))
    this.on('acquire', (client) => this.#clients.set(client, 0))
    this.on('release', (_error, client) => {
      if (this.#clients.has(client)) this.#clients.set(client, undefined)
    })
    this.on('remove', (client) => this.#clients.delete(client))
  }

  override connect(): Promise<pg.PoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<pg.PoolClient> | undefined {
    const client = this.#connect()
    if (!callback) return client
    client.then(
      (connected) => callback(undefined, connected, (error) => connected.release(error)),
      (error) => callback(error, undefined, () => {}),
    )
    return undefined
  }

  override end(): Promise<void>
  override end(callback: () => void): void
  override end(callback?: () => void): Promise<void> {
    this.#pulse.stop()
    // A silent database does not say goodbye either.
    if (this.#silent) for (const client of this.#clients.keys()) breakOff(client)
    const ended = super.end()
    if (callback) void ended.then(callback)
    return ended
  }

  async #connect(): Promise<pg.PoolClient> {
    this.#pulse.start()
    const silence = this.#silence.promise
    if (this.#silent) return silence
    const began = performance.now()
    const connecting = super.connect()
    try {
      return await Promise.race([connecting, silence])
    } catch (error) {
      // Nobody waits for it any more.
      connecting.then(
        (client) => client.release(),
        () => {},
      )
      throw error
    } finally {
      this.emit('waited', performance.now() - began)
    }
  }

  #beat(silent: boolean): void {
    if (silent && !this.#silent) this.#silence.reject(new Error(silentText))
    if (!silent && this.#silent) this.#silence = silence()
    this.#silent = silent
    for (const [client, beats] of this.#clients) {
      if (beats !== undefined) this.#clients.set(client, beats + 1)
      if (silent || (beats ?? 0) > this.#heldBeatsMax) breakOff(client)
    }
  }
}

type ConnectCallback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: Error | boolean) => void,
) => void

function silence(): PromiseWithResolvers<never> {
  const found = Promise.withResolvers<never>()
  found.promise.catch(() => {})
  return found
}
