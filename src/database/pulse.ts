import pg from 'pg'
import { breakOff } from './break-off.ts'
import { errorCode } from './error-code.ts'

/** Time is counted in beats and not by the clock: a program that was itself paused must not take that for silence of the database. */
export const beatMs = 500
/** A database that is away is looked for this often. */
const seekEvery = 2

/** Asks the database again and again whether it is there, over a connection of its own. */
export class Pulse {
  readonly #connection: pg.PoolConfig
  readonly #silentBeatsMax: number
  readonly #onBeat: (silent: boolean) => void
  #client: pg.Client | undefined
  #asking = false
  #unanswered = 0
  #stopped = false
  #heart: NodeJS.Timeout | undefined

  /** @param onBeat is called every half second, with whether the database has been silent for too long */
  constructor(connection: pg.PoolConfig, silenceMsMax: number, onBeat: (silent: boolean) => void) {
    this.#connection = connection
    this.#silentBeatsMax = Math.ceil(silenceMsMax / beatMs)
    this.#onBeat = onBeat
  }

  start(): void {
    if (this.#stopped) return
    this.#heart ??= setInterval(() => this.#beat(), beatMs).unref()
  }

  stop(): void {
    clearInterval(this.#heart)
    this.#stopped = true
    this.#drop()
  }

  #beat(): void {
    this.#unanswered += 1
    const silent = this.#unanswered > this.#silentBeatsMax
    // A connection that has been silent for so long may be cut off: another one may get through.
    if (silent && this.#unanswered % this.#silentBeatsMax === 0) this.#drop()
    if (this.#unanswered % seekEvery === 0 || !silent) void this.#ask()
    this.#onBeat(silent)
  }

  /** Refusals count as answers too: whoever uses the database then learns by himself, and at once, what is wrong. */
  async #ask(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    const fresh = this.#client === undefined
    const client = this.#client ?? this.#open()
    this.#client = client
    try {
      if (fresh) await client.connect()
      await client.query('select')
      this.#unanswered = 0
    } catch (error) {
      const code = errorCode(error)
      if (code !== undefined && code !== 'ETIMEDOUT') this.#unanswered = 0
      if (this.#client === client) this.#drop()
    } finally {
      this.#asking = false
    }
  }

  #open(): pg.Client {
    const client = new pg.Client(this.#connection)
    client.on('error', () => {})
    // It keeps no program alive that has nothing else to do.
    ;(client as pg.Client & { unref(): void }).unref()
    return client
  }

  #drop(): void {
    if (this.#client) breakOff(this.#client)
    this.#client = undefined
  }
}
