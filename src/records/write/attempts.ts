import type { ClientBase, Pool } from 'pg'
import { Overtaken } from '../current.ts'

/** How one attempt of a write goes about it. */
export interface Attempt {
  /** No other write is at work meanwhile. */
  readonly alone: boolean
  /** Which of the records it looks up, and does not take for new: the `named` ones are those whose ids were not given just now. */
  readonly looks: 'none' | 'named' | 'all'
}

/** The write must be the only one: it touches the ownership of Provenances, which others could be deciding on. */
export class MustBeAlone extends Error {}

/** Others changed the same records in every attempt. Nothing was written. */
export class Contended extends Error {
  constructor(cause: unknown) {
    super('other writers changed the same records in every attempt', { cause })
  }
}

/** How often a write is tried when it meets another writer of the same records, or waits in vain for one. */
const attemptsMax = 10

/**
 * Attempts a write, and attempts it again when it has to be alone or has met another writer.
 * @throws Contended, whatever the attempt throws
 * @param patient nobody waits for the write: a lock that did not come in time is waited for again
 * @param writeOnce runs a transaction from its begin to its commit, or fails in it
 */
export async function inAttempts<T>(
  pool: Pool,
  first: Attempt,
  patient: boolean,
  writeOnce: (client: ClientBase, attempt: Attempt) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    let attempt = first
    for (let count = 1; ; count++) {
      try {
        return await writeOnce(client, attempt)
      } catch (error) {
        await client.query('rollback').catch((lost) => {
          // What would be attempted again means nothing to the caller: the connection is what there is no more.
          throw error instanceof MustBeAlone || isCollision(error) ? lost : error
        })
        if (error instanceof MustBeAlone) attempt = { ...attempt, alone: true }
        else if (!(isCollision(error) || (patient && isLongWait(error)))) throw error
        else if (count === attemptsMax) throw isCollision(error) ? new Contended(error) : error
        else attempt = { ...attempt, looks: 'all' }
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
export const isCollision = (error: unknown): boolean =>
  error instanceof Overtaken || ['23505', '40P01', '40001'].includes(codeOf(error) ?? '')

/** The session's bound on waits for a lock. */
export const isLongWait = (error: unknown): boolean => codeOf(error) === '55P03'

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code
