import { hash } from 'node:crypto'
import type { ClientBase } from 'pg'
import type { IdentifierQuery } from '../../fhir/bundle/identifier-query.ts'
import { tokenOf } from '../identifiers.ts'
import type { Change } from './change.ts'

/** Changes that are decided on by what the transaction that makes them finds in the store. */
export interface DecidedChanges {
  /**
   * Identifiers whose records are looked up to decide whether there is to be one more. No two such writes of one identifier are at work
   * at the same time, so that the second finds what the first made.
   */
  readonly alone: readonly IdentifierQuery[]
  /** Looks up and decides. Each attempt of the write asks anew. */
  readonly decide: (client: ClientBase) => Promise<readonly Change[]>
}

/**
 * Each tenant has that many locks for its identifiers, for the lock table of a database has room for some thousands only. Two identifiers
 * that share one wait for each other in vain, which does no harm.
 */
const locksOfTenant = 256

/** The locks of identifiers, in the order in which every write takes them: none waits for another in a circle. */
export function identifierLocks(tenant: string, queries: readonly IdentifierQuery[]): number[] {
  if (queries.length === 0) return []
  const ofTenant = digest(tenant).readInt32BE() & -locksOfTenant
  const locks = queries.map((query) => ofTenant | digest(`${query.type} ${tokenOf(query).toString('hex')}`)[0]!)
  return [...new Set(locks)].sort((a, b) => a - b)
}

const digest = (text: string): Buffer => Buffer.from(hash('sha256', text, 'binary'), 'latin1')
