import type { FastifyRequest } from 'fastify'
import { tokenOf } from '../../records/identifiers.ts'
import { type Change, isFresh, keyTextOf, type Outcome } from '../../records/write/change.ts'
import type { DecidedChanges } from '../../records/write/decided-changes.ts'
import { write } from '../../records/write/write.ts'
import { auditWrite } from '../audit/audited-write.ts'
import { callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'

/**
 * Writes records for the caller of a request, with its entry of the audit trail. Before it takes a connection it waits for its turn, so
 * that no client takes all connections, and none is held only to wait for another request here.
 * @param known `Type/id` of records that are written whatever is decided
 * @throws TooManyWaiting
 */
export function writeAdmitted(
  request: FastifyRequest,
  { writes }: StoreContext,
  changes: readonly Change[] | DecidedChanges,
  options: { readonly allOrNothing?: boolean; readonly known?: readonly string[] } = {},
): Promise<Outcome[]> {
  const { tenant, grant } = callerOf(request)
  const { allOrNothing = false, known = [] } = options
  const keys = [...known, ...('decide' in changes ? lookedFor(changes) : keysKnown(changes))]
  return writes.queue.run({ tenant, client: grant.client, keys }, () =>
    write(writes.pool, tenant, changes, { allOrNothing, beforeCommit: auditWrite(request) }),
  )
}

/** `Type/id` of records that others may write too: an id that was just given nobody knows. */
export const keysKnown = (changes: readonly Change[]): string[] =>
  changes.filter((change) => !isFresh(change)).map(keyTextOf)

/** What two writes may not both look for to decide whether there is to be one more. */
const lookedFor = ({ alone }: DecidedChanges): string[] =>
  alone.map((query) => `${query.type}?${tokenOf(query).toString('hex')}`)
