/** How much of one kind of work there may be at a time. */
export interface QueueBounds {
  readonly runningMax: number
  readonly runningOfTenantMax: number
  readonly runningOfClientMax: number
  /** Bytes of all that runs; whatever has more runs alone. */
  readonly runningBytesMax?: number
  /** Waiting for their turn: their bodies are kept. */
  readonly waitingMax: number
  readonly waitingOfTenantMax: number
  readonly waitingOfClientMax: number
}

/** Who wants to do what. */
export interface Intent {
  readonly tenant: string
  readonly client: string
  /** What only one may have at a time: `Type/id` of the records that will be written, as far as they are known. */
  readonly keys: Iterable<string>
  readonly bytes?: number
}

/** Too many wait already: ask again later. Nothing was done. */
export class TooManyWaiting extends Error {
  constructor() {
    super('too many wait for their turn')
  }
}

/**
 * Lets work begin, some at a time: in turn between tenants and clients, and never two with one key, of which one would only wait for the
 * other. What comes too late is refused, and nothing is done.
 */
export class FairQueue {
  readonly #bounds: QueueBounds
  readonly #running = new Set<Turn>()
  #runningBytes = 0
  /** In the order in which they came. */
  readonly #waiting = new Set<Turn>()
  /** Who has a key, and who comes after, in the order in which they came: nobody overtakes another with the same key. */
  readonly #ofKey = new Map<string, Turn[]>()

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds
  }

  /**
   * Does the work when its turn comes.
   * @throws TooManyWaiting at once; whatever the work throws
   */
  async run<Result>(intent: Intent, work: () => Promise<Result>): Promise<Result> {
    const turn = await this.#enter(intent)
    try {
      return await work()
    } finally {
      this.#running.delete(turn)
      this.#runningBytes -= turn.bytes
      this.#leave(turn)
      this.#admit()
    }
  }

  #enter({ tenant, client, keys, bytes = 0 }: Intent): Promise<Turn> {
    const { promise, resolve } = Promise.withResolvers<Turn>()
    const ofTenant = [...new Set(keys)].map((key) => `${tenant} ${key}`)
    const turn = { tenant, client, keys: ofTenant, bytes, before: 0, begin: () => resolve(turn) }
    this.#queue(turn)
    this.#waiting.add(turn)
    this.#admit()
    if (!this.#waiting.has(turn) || this.#mayWait(turn)) return promise
    this.#waiting.delete(turn)
    this.#leave(turn)
    throw new TooManyWaiting()
  }

  #mayWait(turn: Turn): boolean {
    const { waitingMax, waitingOfTenantMax, waitingOfClientMax } = this.#bounds
    return (
      this.#waiting.size <= waitingMax &&
      count(this.#waiting, turn, 'tenant') <= waitingOfTenantMax &&
      count(this.#waiting, turn, 'client') <= waitingOfClientMax
    )
  }

  #queue(turn: Turn): void {
    for (const key of turn.keys) {
      const turns = this.#ofKey.get(key)
      if (turns === undefined) this.#ofKey.set(key, [turn])
      else {
        turns.push(turn)
        turn.before++
      }
    }
  }

  /** A turn that has ended, and is the first of its keys, or one that was refused, and is the last. */
  #leave(turn: Turn): void {
    for (const key of turn.keys) {
      const turns = this.#ofKey.get(key)!
      if (turns.length === 1) this.#ofKey.delete(key)
      else if (turns[0] === turn) {
        turns.shift()
        turns[0]!.before--
      } else turns.pop()
    }
  }

  /** Lets in whoever may begin, first who has least at work. */
  #admit(): void {
    while (this.#running.size < this.#bounds.runningMax) {
      const next = this.#next()
      // Whose turn it is waits for room, and all others with it: else those who need little would go before it for ever.
      if (next === undefined || !this.#hasRoom(next)) return
      this.#waiting.delete(next)
      this.#running.add(next)
      this.#runningBytes += next.bytes
      next.begin()
    }
  }

  #hasRoom({ bytes }: Turn): boolean {
    const { runningBytesMax = Number.POSITIVE_INFINITY } = this.#bounds
    return this.#running.size === 0 || this.#runningBytes + bytes <= runningBytesMax
  }

  #next(): Turn | undefined {
    let best: { readonly turn: Turn; readonly ofTenant: number; readonly ofClient: number } | undefined
    for (const turn of this.#waiting) {
      if (turn.before > 0) continue
      const ofTenant = count(this.#running, turn, 'tenant')
      const ofClient = count(this.#running, turn, 'client')
      if (ofTenant >= this.#bounds.runningOfTenantMax || ofClient >= this.#bounds.runningOfClientMax) continue
      const isFirst = !best || ofTenant < best.ofTenant || (ofTenant === best.ofTenant && ofClient < best.ofClient)
      if (isFirst) best = { turn, ofTenant, ofClient }
    }
    return best?.turn
  }
}

interface Turn {
  readonly tenant: string
  readonly client: string
  readonly keys: readonly string[]
  readonly bytes: number
  /** For how many of its keys others come first. */
  before: number
  readonly begin: () => void
}

function count(turns: ReadonlySet<Turn>, { tenant, client }: Turn, by: 'tenant' | 'client'): number {
  let found = 0
  for (const turn of turns) {
    if (turn.tenant === tenant && (by === 'tenant' || turn.client === client)) found++
  }
  return found
}
