import type { ClientBase, Pool, QueryResult } from 'pg'
import { ownedTypes } from '../fhir/ownership.ts'
import { statedLastUpdated } from '../fhir/resource-text.ts'
import { type Current, type Key, keyOf, Overtaken, readCurrentRows, supersede } from './current.ts'
import type { Draft } from './draft.ts'
import { packsToDrop } from './packs/packs-to-drop.ts'
import { dropPacks } from './packs/stored-packs.ts'
import {
  forgetAwaited,
  ownersOfTargets,
  provenanceOwners,
  provenancesToPlace,
  rememberAwaited,
  storedProvenances,
  targetsOf,
} from './provenance-owners.ts'
import { insertRows, type Row } from './record-row.ts'

/** One change of the store. `ifMatch` is the version that must be current (FHIR If-Match). */
export type Change =
  | { readonly kind: 'put'; readonly draft: Draft; readonly ifMatch?: number }
  | { readonly kind: 'delete'; readonly key: Key; readonly ifMatch?: number }

/** What became of a change. `conflict`: `ifMatch` is not the current version; nothing was written for it. */
export interface Outcome {
  readonly kind: 'created' | 'updated' | 'unchanged' | 'deleted' | 'absent' | 'conflict'
  /** The record's current version afterwards; 0 when there is none. */
  readonly version: number
  /** Milliseconds since 1970; undefined when nothing was written. */
  readonly lastUpdated?: number
}

export interface WriteOptions {
  /** Keep the source's `meta.lastUpdated` for `_since`; `written` orders versions all the same. */
  readonly keepLastUpdated?: boolean
  /** Write nothing at all when one change conflicts (FHIR transaction). */
  readonly allOrNothing?: boolean
  /**
   * Do not wait for the disk: a crash of the database may undo the write, as a whole. For loads, which end with a write that waits.
   * The log is written in order, so nothing durable (a job's transactionTime) can come after a write that is undone.
   */
  readonly deferred?: boolean
  /**
   * For puts without `ifMatch`: the records are probably all new, do not look them up. One that is there makes the insert fail, by the
   * unique index of current versions, and the write is done again with looking.
   */
  readonly probablyNew?: boolean
  /** Runs last in the transaction, with what becomes of the changes, each under its key: what it writes is there with them or not at all. */
  readonly beforeCommit?: (client: ClientBase, outcomes: readonly (Key & Outcome)[]) => Promise<void>
}

/** A writer holds back every cut, and a waiting cut every other writer: one that stands still is ended by the database. */
const pauseMsMax = 30_000
const statementMsMax = 120_000

/** How often a write is tried when it meets another writer of the same records. */
const attemptsMax = 10

/** The write must be the only one: it touches the ownership of Provenances, which others could be deciding on. */
class MustBeAlone extends Error {}

/**
 * Applies changes of distinct records in one transaction; all of them get the same `written`, which the database's clock gives.
 * Outcomes are in the order of the changes. An unchanged record makes no new version.
 */
export async function write(
  pool: Pool,
  tenant: string,
  changes: readonly Change[],
  options: WriteOptions = {},
): Promise<Outcome[]> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    let alone = false
    let look = !options.probablyNew
    for (let attempt = 1; ; attempt++) {
      try {
        return await writeOnce(client, tenant, changes, options, alone, look)
      } catch (error) {
        await client.query('rollback').catch(() => {
          throw error
        })
        if (error instanceof MustBeAlone) alone = true
        else if (attempt === attemptsMax || !isCollision(error)) throw error
        else look = true
      }
    }
  } catch (error) {
    broken = error as Error
    throw error
  } finally {
    client.release(broken)
  }
}

/** Another writer was first: it changed or created a record, or the two wait for each other. */
const isCollision = (error: unknown): boolean =>
  error instanceof Overtaken || ['23505', '40P01', '40001'].includes((error as { code?: string }).code ?? '')

async function writeOnce(
  client: ClientBase,
  tenant: string,
  changes: readonly Change[],
  options: WriteOptions,
  alone: boolean,
  look: boolean,
): Promise<Outcome[]> {
  const written = await begin(client, alone, options)
  const current = look ? await readCurrentRows(client, tenant, changes.map(keyOfChange)) : new Map<string, Current>()
  const outcomes = changes.map((change) => outcomeOf(change, current.get(keyTextOf(change)), written, options))
  if (options.allOrNothing && outcomes.some(({ kind }) => kind === 'conflict')) {
    await client.query('rollback')
    return outcomes
  }
  const effective = changes.filter((_, index) => outcomes[index]!.lastUpdated !== undefined)
  if (effective.length > 0) await apply(client, tenant, effective, current, written, options, alone)
  await options.beforeCommit?.(
    client,
    changes.map((change, index) => ({ ...keyOfChange(change), ...outcomes[index]! })),
  )
  await client.query('commit')
  return outcomes
}

/**
 * Returns when all deferred writes so far will survive a crash: a commit of its own, which waits for the log up to it. It has to write
 * something to the log, or PostgreSQL would not wait.
 */
export async function waitForDisk(pool: Pool): Promise<void> {
  await pool.query(`select pg_logical_emit_message(true, 'millrace', '')`)
}

/** Begins the transaction and gives the time from which its versions are valid, in milliseconds since 1970. */
async function begin(client: ClientBase, alone: boolean, { deferred }: WriteOptions): Promise<number> {
  const results = (await client.query(`
    begin isolation level read committed;
    set local synchronous_commit = ${deferred ? 'off' : 'on'};
    set local idle_in_transaction_session_timeout = ${pauseMsMax};
    set local statement_timeout = ${statementMsMax};
    select ${alone ? 'stamp_write_alone' : 'stamp_write'}() as at`)) as unknown as QueryResult<{ at: Date }>[]
  return results.at(-1)!.rows[0]!.at.getTime()
}

const keyOfChange = (change: Change): Key => (change.kind === 'put' ? change.draft : change.key)

const keyTextOf = (change: Change): string => (change.kind === 'put' ? change.draft.key : keyOf(change.key))

function outcomeOf(change: Change, current: Current | undefined, written: number, options: WriteOptions): Outcome {
  const version = current?.version ?? 0
  const exists = current !== undefined && !current.deleted
  if (change.ifMatch !== undefined && (!exists || change.ifMatch !== version)) return { kind: 'conflict', version }
  if (change.kind === 'delete') {
    return exists ? { kind: 'deleted', version: version + 1, lastUpdated: written } : { kind: 'absent', version }
  }
  const lastUpdated = (options.keepLastUpdated ? statedLastUpdated(change.draft.text) : undefined) ?? written
  if (!exists) return { kind: 'created', version: version + 1, lastUpdated }
  if (current.digest.equals(change.draft.digest)) return { kind: 'unchanged', version }
  return { kind: 'updated', version: version + 1, lastUpdated }
}

async function apply(
  client: ClientBase,
  tenant: string,
  changes: readonly Change[],
  current: Map<string, Current>,
  written: number,
  options: WriteOptions,
  alone: boolean,
): Promise<void> {
  const drafts = changes.flatMap((change) => (change.kind === 'put' ? [change.draft] : []))
  const { owners, placed, arrived, awaited, moving } = await ownership(client, tenant, changes, drafts, current)
  if (!alone && (awaited.length > 0 || moving || placed.length > 0)) throw new MustBeAlone()

  const rows: Row[] = placed.flatMap((row) =>
    spread(
      { ...row, type: 'Provenance', written, updated: row.updated.getTime() },
      provenanceOwners(targetsOf(row), owners),
    ),
  )
  for (const change of changes) {
    const before = current.get(keyTextOf(change))
    rows.push(
      ...(change.kind === 'put'
        ? putRows(change.draft, before, owners, written, options)
        : tombstones(before!, written)),
    )
  }
  const superseded = changed(changes, placed, current)
  await supersede(client, tenant, superseded, written)
  await insertRows(client, tenant, rows)
  await dropPacks(client, tenant, packsToDrop(rows, superseded))
  await rememberAwaited(client, tenant, awaited)
  if (placed.length > 0) await forgetAwaited(client, tenant, arrived)
}

/** Who owns the targets of the Provenances of a write, and which Provenances outside it get other owners by it. */
async function ownership(
  client: ClientBase,
  tenant: string,
  changes: readonly Change[],
  drafts: readonly Draft[],
  current: Map<string, Current>,
) {
  const { arrived, moved } = newlyOwned(drafts, current)
  const inWrite = new Set(changes.map((change) => keyTextOf(change)))
  const placed = await placements(client, tenant, arrived, moved, inWrite, current)
  const sources = [...drafts, ...placed.map((row) => ({ id: row.id, targets: targetsOf(row) }))]
  const known = new Map(drafts.flatMap((draft) => (draft.owner === undefined ? [] : [[draft.key, draft.owner]])))
  const targets = sources.flatMap((source) => source.targets)
  const owners = await ownersOfTargets(client, tenant, targets, known)
  const awaited = sources.flatMap(({ id: provenance, targets }) =>
    targets.filter((target) => !owners.get(target)).map((target) => ({ provenance, target })),
  )
  return { owners, placed, arrived, awaited, moving: moved.length > 0 }
}

/** Records that this write gives their first owner, and records that it takes from one. */
function newlyOwned(drafts: readonly Draft[], current: ReadonlyMap<string, Current>) {
  const arrived: Key[] = []
  const moved: { formerOwner: string; target: string }[] = []
  for (const draft of drafts) {
    if (!ownedTypes.has(draft.type) || draft.type === 'Patient') continue
    const formerOwner = current.get(draft.key)?.owners[0] ?? ''
    if (formerOwner === draft.owner) continue
    if (formerOwner === '') arrived.push(draft)
    else moved.push({ formerOwner, target: draft.key })
  }
  return { arrived, moved }
}

/** The Provenances outside this write whose owners it changes; their current versions are added to `current`. */
async function placements(
  client: ClientBase,
  tenant: string,
  arrived: readonly Key[],
  moved: readonly { formerOwner: string; target: string }[],
  inWrite: ReadonlySet<string>,
  current: Map<string, Current>,
) {
  const found = await provenancesToPlace(client, tenant, arrived, moved)
  const ids = found.filter((id) => !inWrite.has(`Provenance/${id}`))
  if (ids.length === 0) return []
  const rows = await readCurrentRows(
    client,
    tenant,
    ids.map((id) => ({ type: 'Provenance', id })),
  )
  for (const [key, row] of rows) current.set(key, row)
  return storedProvenances(client, tenant, rows)
}

function changed(
  changes: readonly Change[],
  placed: readonly { id: string }[],
  current: ReadonlyMap<string, Current>,
): Current[] {
  const keys = [...changes.map((change) => keyTextOf(change)), ...placed.map(({ id }) => `Provenance/${id}`)]
  return keys.flatMap((key) => current.get(key) ?? [])
}

function putRows(
  draft: Draft,
  before: Current | undefined,
  owners: ReadonlyMap<string, string>,
  written: number,
  options: WriteOptions,
): Row[] {
  const version = (before?.version ?? 0) + 1
  const updated = (options.keepLastUpdated ? statedLastUpdated(draft.text) : undefined) ?? written
  const row = {
    type: draft.type,
    id: draft.id,
    version,
    written,
    updated,
    refs: draft.refs.join(' '),
    targets: draft.targets.join(' '),
    digest: draft.digest,
    text: draft.text,
  }
  return spread(row, draft.owner === undefined ? provenanceOwners(draft.targets, owners) : [draft.owner])
}

function tombstones(before: Current, written: number): Row[] {
  const { type, id, version, owners } = before
  const digest = Buffer.alloc(0)
  const row = { type, id, version: version + 1, written, updated: written, refs: '', targets: '', digest, text: null }
  return spread(row, owners)
}

/** One row for each owner; the first leads. */
function spread(row: Omit<Row, 'owner' | 'lead' | 'shared'>, owners: readonly string[]): Row[] {
  return owners.map((owner, index) => ({ ...row, owner, lead: index === 0, shared: owners.length > 1 }))
}
