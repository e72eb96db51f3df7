/** How many writes there may be at a time. */
export interface WriteBounds {
  /** At work: each has a connection to the database. */
  readonly runningMax: number
  readonly runningOfTenantMax: number
  readonly runningOfClientMax: number
  /** Waiting for their turn: their bodies are kept. */
  readonly waitingMax: number
  readonly waitingOfTenantMax: number
  readonly waitingOfClientMax: number
}

/** Two tenants can always write beside one that writes as much as it can, and so can two clients beside one. */
export const writeBounds: WriteBounds = {
  runningMax: 8,
  runningOfTenantMax: 6,
  runningOfClientMax: 4,
  waitingMax: 400,
  waitingOfTenantMax: 200,
  waitingOfClientMax: 40,
}

/** Who wants to write what. */
export interface WriteIntent {
  readonly tenant: string
  readonly client: string
  /** `Type/id` of the records that will be written, as far as they are known. */
  readonly keys: Iterable<string>
}

/** Too many writes wait already: ask again later. Nothing was written. */
export class TooManyWrites extends Error {
  constructor() {
    super('too many writes wait')
  }
}

/**
 * Lets writes in, some at a time, before they take a connection: in turn between tenants and clients, and never two of one record, of
 * which one would hold a connection only to wait for the other. A write that comes too late is refused, and nothing is written.
 */
export class WriteGate {
  readonly #bounds: WriteBounds
  readonly #running = new Set<Turn>()
  /** In the order in which they came. */
  readonly #waiting = new Set<Turn>()
  /** Who writes a record, and who comes after, in the order in which they came: nobody overtakes another of the same record. */
  readonly #ofKey = new Map<string, Turn[]>()

  constructor(bounds: WriteBounds = writeBounds) {
    this.#bounds = bounds
  }

  /**
   * Does the work when its turn comes.
   * @throws TooManyWrites at once; whatever the work throws
   */
  async run<Result>(intent: WriteIntent, work: () => Promise<Result>): Promise<Result> {
    const turn = await this.#enter(intent)
    try {
      return await work()
    } finally {
      this.#running.delete(turn)
      this.#leave(turn)
      this.#admit()
    }
  }

  #enter({ tenant, client, keys }: WriteIntent): Promise<Turn> {
    const { promise, resolve } = Promise.withResolvers<Turn>()
    const ofTenant = [...new Set(keys)].map((key) => `${tenant} ${key}`)
    const turn = { tenant, client, keys: ofTenant, before: 0, begin: () => resolve(turn) }
    this.#queue(turn)
    this.#waiting.add(turn)
    this.#admit()
    if (!this.#waiting.has(turn) || this.#mayWait(turn)) return promise
    this.#waiting.delete(turn)
    this.#leave(turn)
    throw new TooManyWrites()
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
      if (next === undefined) return
      this.#waiting.delete(next)
      this.#running.add(next)
      next.begin()
    }
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
