import type { Queryable } from '../database/queryable.ts'
import type { AuditEntry } from './entry.ts'
import { Gaps, gapEntry } from './gaps.ts'
import { KeptRefusals, keptOfClients, keptOfStrangers } from './kept-refusals.ts'

/** Entries that one statement appends. */
const batchEntriesMax = 500
/** Refusals that wait for the database; more are counted only. */
export const notesMax = 2_000
/** How long refusals are counted, and a few of each kind kept, before an entry tells how many there were. */
const countMs = 60_000
/** How long the trail waits when the database does not take refusals. */
const retryMs = 1_000

const appendSql = `
  select append_audit(tenant, entry::jsonb)
  from (select * from unnest($1::text[], $2::text[]) with ordinality as waiting (tenant, entry, place) order by tenant collate "C", place) sorted`

/** Appends entries to their chains. With a connection in a transaction they appear with it, or not at all: make it its last statement. */
export async function appendAudit(database: Queryable, ...entries: readonly AuditEntry[]): Promise<void> {
  const texts = entries.map(({ tenant: _, ...entry }) => JSON.stringify(entry, storable))
  await database.query(appendSql, [entries.map(({ tenant }) => tenant), texts])
}

/** PostgreSQL takes no U+0000 and no half of a surrogate pair. One such character must not hold up the entries beside it. */
const storable = (_name: string, value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value

interface Waiting {
  readonly entry: AuditEntry
  readonly settle: { readonly resolve: () => void; readonly reject: (error: unknown) => void }
}

/**
 * The audit trail of a running server, for what happens outside a transaction of the database. Entries that come while others are being
 * written are written together, so that many requests share one wait for the disk.
 */
export class AuditTrail {
  readonly #database: Queryable
  readonly #onFault: (error: unknown) => void
  #waiting: Waiting[] = []
  #notes: AuditEntry[] = []
  /** Refusals that were not kept, and wait to be told of. */
  readonly #dropped = new Gaps()
  /** Refusals that are being counted. */
  readonly #counted = new Gaps()
  readonly #keptOfStrangers = new KeptRefusals(keptOfStrangers)
  readonly #keptOfClients = new KeptRefusals(keptOfClients)
  #counting: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #closing = false

  /** `onFault` is told when the database does not take refusals. */
  constructor(database: Queryable, onFault: (error: unknown) => void) {
    this.#database = database
    this.#onFault = onFault
  }

  /** Appends an entry; resolves when it will survive a crash. What is granted is recorded before it is answered. */
  record(entry: AuditEntry): Promise<void> {
    const settle = Promise.withResolvers<void>()
    this.#waiting.push({ entry, settle })
    this.#start()
    return settle.promise
  }

  /**
   * Appends a refusal soon, without anybody waiting: a crash may lose the last ones. The first few of a kind are kept whole, whose caller
   * (a client, or of strangers the network), chain and reason are the same; the others are counted, and after `countMs` one entry `gap`
   * says how many there were. So nobody fills the trail, or buries in it what another does.
   */
  note(entry: AuditEntry, network = entry.address ?? ''): void {
    const { tenant, kind, outcome, agent, reason = '' } = entry
    const client = agent.kind === 'client' ? agent.id : undefined
    const kept = client === undefined ? this.#keptOfStrangers : this.#keptOfClients
    this.#beginCount()
    if (kept.admit(client ?? network, JSON.stringify([tenant, kind, outcome, reason]))) this.#keep(entry)
    else if (client !== undefined) this.#counted.add({ tenant, common: { client }, entries: 1 })
    else this.#counted.add({ tenant, common: { network, of: kind, reason }, entries: 1 })
  }

  /** Counts a refusal of somebody who asks too often: of those not even the first is kept. */
  count({ tenant, agent }: AuditEntry): void {
    const common = agent.kind === 'client' && agent.id !== undefined ? { client: agent.id } : {}
    this.#counted.add({ tenant, common, entries: 1 })
    this.#beginCount()
  }

  /** There may be more of them than the database takes, so that at most `notesMax` wait; the rest are counted. */
  #keep(entry: AuditEntry): void {
    if (this.#notes.length < notesMax) this.#notes.push(entry)
    else this.#dropped.add({ tenant: entry.tenant, common: {}, entries: 1 })
    this.#start()
  }

  #beginCount(): void {
    this.#counting ??= setTimeout(() => {
      this.#endCount()
      if (this.#isDue) this.#start()
    }, countMs).unref()
  }

  #endCount(): void {
    clearTimeout(this.#counting)
    this.#counting = undefined
    for (const gap of this.#counted.take()) this.#dropped.add(gap)
    this.#keptOfStrangers.clear()
    this.#keptOfClients.clear()
  }

  /** Writes what waits, once more where the database did not take it. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#running
    this.#endCount()
    this.#start()
    await this.#running
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (!this.#closing && this.#isDue) this.#start()
    })
  }

  /** Entries that wait for the database. */
  get backlog(): number {
    return this.#waiting.length + this.#notes.length + this.#dropped.size
  }

  get #isDue(): boolean {
    return this.backlog > 0
  }

  async #run(): Promise<void> {
    // Those who come in the same turn go together.
    await Promise.resolve()
    while (this.#isDue) {
      if (!(await this.#flush()) && this.#waiting.length === 0) {
        if (this.#closing) return
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
  }

  /** Writes one batch; false when the database did not take it. Those who wait are told, refusals stay for the next time. */
  async #flush(): Promise<boolean> {
    const waiting = this.#waiting.splice(0, batchEntriesMax)
    const notes = this.#notes.slice(0, batchEntriesMax - waiting.length)
    const gaps = notes.length === this.#notes.length ? this.#dropped.list(batchEntriesMax) : []
    const entries = [...waiting.map(({ entry }) => entry), ...notes, ...gaps.map(gapEntry)]
    try {
      await appendAudit(this.#database, ...entries)
    } catch (error) {
      for (const { settle } of waiting) settle.reject(error)
      if (notes.length + gaps.length > 0) this.#onFault(error)
      return false
    }
    this.#notes.splice(0, notes.length)
    for (const gap of gaps) this.#dropped.add({ ...gap, entries: -gap.entries })
    for (const { settle } of waiting) settle.resolve()
    return true
  }
}
