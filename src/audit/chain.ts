import { createHash } from 'node:crypto'
import type { Queryable } from '../database/queryable.ts'

/** Where a chain ends: the number of its last entry, which is also how many there are, and its hash in hexadecimal. */
export interface ChainHead {
  readonly tenant: string
  readonly entries: number
  readonly hash: string
}

/** Something that does not fit. `number` is the entry's, where there is one. */
interface ChainFault {
  readonly tenant: string
  readonly number?: number
  readonly reason: string
}

/** What a verification found: every chain by tenant, and the faults, of which `faultsListedMax` are listed. */
export interface ChainReport {
  readonly chains: readonly ChainHead[]
  readonly entries: number
  readonly faults: readonly ChainFault[]
  readonly faultCount: number
  /** Entries whose time lies before that of the entry before: the clock was set back, or somebody made them. They are told, and no faults. */
  readonly timesBack: number
}

/** Rows and characters of entries that one step of a verification reads. An entry may be larger. */
const pageRowsMax = 1_000
const faultsListedMax = 100

interface Row {
  readonly number: string
  /** Since 1970; null where the time is none (`infinity`). */
  readonly micros: string | null
  readonly entry: string
  readonly hash: Buffer
}

/** As text: what is hashed is what PostgreSQL prints. */
const pageSql = `
  select number::text, case when isfinite(recorded) then (extract(epoch from recorded) * 1000000)::bigint::text end as micros, entry, hash
  from audit_entry where tenant = $1 and number > $2 order by audit_entry.number limit ${pageRowsMax}`

/** How many entries there are, for a progress bar. */
export async function countAuditEntries(database: Queryable): Promise<number> {
  const { rows } = await database.query('select count(*)::float8 as entries from audit_entry')
  return Number(rows[0].entries)
}

/**
 * Computes every chain anew, from its first entry to its last, and compares: an entry that was changed, removed or put in does not fit,
 * and neither does one that is missing at the end, unless the head was set back too. Against that there is `expected`, the heads that an
 * earlier verification printed: each must still be in its chain. Memory is bounded by a page of entries.
 * The connection should be in a transaction of one snapshot, so that entries may be appended meanwhile.
 */
export async function verifyChains(
  database: Queryable,
  expected: readonly ChainHead[],
  onEntries: (entries: number) => void,
): Promise<ChainReport> {
  const faults: ChainFault[] = []
  let faultCount = 0
  let entries = 0
  const fault = (found: ChainFault) => {
    faultCount++
    if (faults.length < faultsListedMax) faults.push(found)
  }
  const heads = await readHeads(database)
  const tenants = await tenantsOf(database)
  const chains: ChainHead[] = []
  let timesBack = 0
  for (const tenant of await chainNames(database, heads, expected, tenants)) {
    const chain = new Chain(tenant, expected, fault)
    for await (const page of pagesOf(database, tenant)) {
      for (const row of page) chain.add(row)
      entries += page.length
      onEntries(entries)
    }
    chain.end(heads.get(tenant), tenants.has(tenant))
    timesBack += chain.timesBack
    chains.push(chain.head)
  }
  return { chains, entries, faults, faultCount, timesBack }
}

async function readHeads(database: Queryable): Promise<ReadonlyMap<string, ChainHead>> {
  const { rows } = await database.query<{ tenant: string; number: string; hash: Buffer }>(
    'select tenant, number::text, hash from audit_head',
  )
  return new Map(
    rows.map(({ tenant, number, hash }) => [tenant, { tenant, entries: Number(number), hash: hash.toString('hex') }]),
  )
}

/** Adding a tenant is the first entry of its chain, so that each must have one: also when head and entries were removed together. */
async function tenantsOf(database: Queryable): Promise<ReadonlySet<string>> {
  const { rows } = await database.query<{ id: string }>('select id from tenant')
  return new Set(rows.map(({ id }) => id))
}

/** Chains that have a head, entries without a head, an expectation, or a tenant. The names are found by hops over the index. */
async function chainNames(
  database: Queryable,
  heads: ReadonlyMap<string, ChainHead>,
  expected: readonly ChainHead[],
  tenants: ReadonlySet<string>,
): Promise<readonly string[]> {
  const { rows } = await database.query<{ tenant: string }>(`
    with recursive chain (tenant) as (
      (select tenant from audit_entry order by tenant limit 1)
      union all
      select (select tenant from audit_entry where tenant > chain.tenant order by tenant limit 1) from chain where chain.tenant is not null
    )
    select tenant from chain where tenant is not null`)
  const names = [
    ...heads.keys(),
    ...rows.map(({ tenant }) => tenant),
    ...expected.map(({ tenant }) => tenant),
    ...tenants,
  ]
  return [...new Set(names)].sort()
}

async function* pagesOf(database: Queryable, tenant: string): AsyncGenerator<readonly Row[]> {
  // From below the first number, so that one that was put in before it is met too.
  let after = String(-(2n ** 63n))
  for (;;) {
    const { rows } = await database.query<Row>(pageSql, [tenant, after])
    if (rows.length > 0) yield rows
    if (rows.length < pageRowsMax) return
    after = rows.at(-1)!.number
  }
}

/** One chain while it is computed. */
class Chain {
  readonly #tenant: string
  readonly #expected: ReadonlyMap<number, string>
  readonly #fault: (fault: ChainFault) => void
  #number = 0
  #hash: Buffer = Buffer.alloc(32)
  #micros = -(2n ** 63n)
  #timesBack = 0

  constructor(tenant: string, expected: readonly ChainHead[], fault: (fault: ChainFault) => void) {
    const own = expected.filter((head) => head.tenant === tenant)
    this.#tenant = tenant
    this.#expected = new Map(own.map(({ entries, hash }) => [entries, hash]))
    this.#fault = fault
  }

  get head(): ChainHead {
    return { tenant: this.#tenant, entries: this.#number, hash: this.#hash.toString('hex') }
  }

  get timesBack(): number {
    return this.#timesBack
  }

  add(row: Row): void {
    const number = Number(row.number)
    const { micros } = row
    if (number !== this.#number + 1)
      this.#complain(number, `follows entry ${this.#number}: entries were removed or put in`)
    else if (micros === null) this.#complain(number, 'was changed: the time at which it was recorded is none')
    else if (!hashOf(this.#hash, this.#tenant, { ...row, micros }).equals(row.hash)) {
      this.#complain(number, 'was changed, or the entry before it was')
    }
    // From here on the stored hash counts, so that one fault is told once.
    this.#number = number
    this.#hash = row.hash
    if (micros !== null) {
      if (BigInt(micros) < this.#micros) this.#timesBack++
      this.#micros = BigInt(micros)
    }
    const known = this.#expected.get(number)
    if (known !== undefined && known !== row.hash.toString('hex')) this.#complain(number, 'is not the expected one')
  }

  /** @param head what the store remembers of the chain's end @param begun whether the chain must have entries */
  end(head: ChainHead | undefined, begun: boolean): void {
    const { entries, hash } = this.head
    if (begun && entries === 0)
      this.#complain(undefined, 'has no entry, although the tenant is there: adding it was one')
    if (head === undefined ? entries > 0 : head.entries !== entries || head.hash !== hash) {
      this.#complain(undefined, `ends at entry ${entries}, but its head is ${head ? `at ${head.entries}` : 'missing'}`)
    }
    for (const number of this.#expected.keys()) {
      if (number > entries) this.#complain(undefined, `ends at entry ${entries}, but had ${number} entries before`)
    }
  }

  #complain(number: number | undefined, reason: string): void {
    this.#fault({ tenant: this.#tenant, ...(number === undefined ? {} : { number }), reason })
  }
}

/** The same as the function `audit_hash` of the database. */
const hashOf = (
  previous: Buffer,
  tenant: string,
  { number, micros, entry }: Row & { readonly micros: string },
): Buffer => createHash('sha256').update(previous).update(`${tenant}\n${number}\n${micros}\n${entry}\n`).digest()
