import type { ClientBase, Pool } from 'pg'
import { somebody } from '../../fhir/open-reference.ts'
import { type Current, type Key, readCurrentRows, supersede } from '../current.ts'
import type { Draft } from '../draft.ts'
import { reindex } from '../identifiers.ts'
import { dropPacks } from '../packs/drop-packs.ts'
import { packsToDrop } from '../packs/packs-to-drop.ts'
import { insertRows } from '../record-row.ts'
import { type Attempt, inAttempts, MustBeAlone } from './attempts.ts'
import { beginWrite } from './begin-write.ts'
import {
  type Change,
  isFresh,
  isRefused,
  keyOfChange,
  keyTextOf,
  type Outcome,
  outcomeOf,
  type WriteTimes,
} from './change.ts'
import { type DecidedChanges, identifierLocks } from './decided-changes.ts'
import { newRows } from './new-rows.ts'
import { type Ownership, ownershipAfter } from './ownership-after.ts'
import { forgetAwaited, forgetWaiting, rememberAwaited } from './provenance-owners.ts'

export interface WriteOptions {
  /**
   * Keep the source's `meta.lastUpdated` for `_since`; `written` orders versions all the same. What is older than the current version
   * is not written. A deletion has no time of its source, so what comes after it is never older.
   */
  readonly keepLastUpdated?: boolean
  /** Write nothing at all when one change is refused (FHIR transaction). */
  readonly allOrNothing?: boolean
  /**
   * Do not wait for the disk: a crash of the database may undo the write, as a whole. For loads, which end with a write that waits, and
   * which nobody waits for: a lock that does not come in time ends a request, but is waited for again by a load.
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

/**
 * Applies changes of distinct records in one transaction; all of them get the same `written`, which the database's clock gives.
 * Outcomes are in the order of the changes. An unchanged record makes no new version.
 * @param changes given, or decided on in the transaction; then the outcomes are those of what was decided last
 */
export function write(
  pool: Pool,
  tenant: string,
  changes: readonly Change[] | DecidedChanges,
  options: WriteOptions = {},
): Promise<Outcome[]> {
  const decided = 'decide' in changes ? changes : { alone: [], decide: async () => changes }
  const first: Attempt = { alone: false, looks: options.probablyNew ? 'none' : 'named' }
  const { deferred = false } = options
  return inAttempts(pool, first, deferred, (client, attempt) => writeOnce(client, tenant, decided, options, attempt))
}

async function writeOnce(
  client: ClientBase,
  tenant: string,
  decided: DecidedChanges,
  options: WriteOptions,
  { alone, looks }: Attempt,
): Promise<Outcome[]> {
  const locks = identifierLocks(tenant, decided.alone)
  const written = await beginWrite(client, alone, options.deferred ?? false, locks)
  const changes = await decided.decide(client)
  const times = { written, keepLastUpdated: options.keepLastUpdated ?? false }
  const current = await readCurrentRows(client, tenant, lookedUp(changes, looks).map(keyOfChange))
  const outcomes = changes.map((change) => outcomeOf(change, current.get(keyTextOf(change)), times))
  if (options.allOrNothing && outcomes.some(isRefused)) {
    await client.query('rollback')
    return outcomes
  }
  const effective = changes.filter((_, index) => outcomes[index]!.lastUpdated !== undefined)
  if (effective.length > 0) {
    const ownership = await ownershipAfter(client, tenant, effective, current)
    if (!alone && decidesOwners(ownership)) throw new MustBeAlone()
    await apply(client, tenant, effective, current, ownership, times)
  }
  await options.beforeCommit?.(
    client,
    changes.map((change, index) => ({ ...keyOfChange(change), ...outcomes[index]! })),
  )
  await client.query('commit')
  return outcomes
}

function lookedUp(changes: readonly Change[], looks: Attempt['looks']): readonly Change[] {
  if (looks === 'all') return changes
  return looks === 'named' ? changes.filter((change) => !isFresh(change)) : []
}

/** Whether a write decides who owns Provenances. Two that do, side by side, would not see each other. */
const decidesOwners = ({ awaited, moving, placed }: Ownership): boolean =>
  awaited.length > 0 || moving || placed.length > 0

async function apply(
  client: ClientBase,
  tenant: string,
  changes: readonly Change[],
  current: ReadonlyMap<string, Current>,
  ownership: Ownership,
  times: WriteTimes,
): Promise<void> {
  const { placed, arrived, awaited } = ownership
  const rows = newRows(changes, ownership, current, times)
  const keys = [...changes.map(keyTextOf), ...placed.map(({ id }) => `Provenance/${id}`)]
  const superseded = keys.flatMap((key) => current.get(key) ?? [])
  await reindex(client, tenant, draftsOf(changes), endedBy(changes, current))
  await supersede(client, tenant, superseded, times.written)
  await insertRows(client, tenant, rows)
  await dropPacks(client, tenant, packsToDrop(rows, superseded))
  const ended = changes.flatMap((change) => current.get(keyTextOf(change)) ?? [])
  const crowded = placed.filter(({ refs }) => refs.split(' ').includes(somebody.crowd))
  const waiting = [...ended.filter(({ type }) => type === 'Provenance'), ...crowded]
  await forgetWaiting(
    client,
    tenant,
    waiting.map(({ id }) => id),
  )
  if (placed.length > 0) await forgetAwaited(client, tenant, arrived)
  await rememberAwaited(client, tenant, awaited)
}

const draftsOf = (changes: readonly Change[]): Draft[] =>
  changes.flatMap((change) => (change.kind === 'put' ? [change.draft] : []))

/** The records that had a state before a write, and have another one after it. */
const endedBy = (changes: readonly Change[], current: ReadonlyMap<string, Current>): Current[] =>
  changes.flatMap((change) => current.get(keyTextOf(change)) ?? []).filter(({ deleted }) => !deleted)
