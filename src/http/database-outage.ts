import { UnusableStore } from '../files/file-store.ts'

/** Seconds after which a client may find the store again. */
export const retryOutageSeconds = 5

/**
 * Classes and codes of PostgreSQL: connection lost, resources used up, starting, stopping; a lock that did not come in time, a
 * statement that took too long or was ended, a transaction that stood still.
 */
const databaseCodes = /^(08...|53...|57P0[1-5]|55P03|57014|25P0[34])$/
/** The network to the database, or the disk of the files, for now. */
const systemCodes =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EIO|ESTALE|EMFILE|ENFILE|ENOSPC)$/
/** The driver gives these no code. */
const driverTexts =
  /^(The database does not answer|Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed)/

/** Whether an error says that the store cannot be reached at the moment, and the same request may succeed later (T-170, P6). */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof UnusableStore) return true
  if (error instanceof AggregateError) return error.errors.some(isOutage)
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined) return driverTexts.test(error.message) || isOutage(error.cause)
  // A socket that is not there is a database that is not there; a file that is not there stays so.
  if (code === 'ENOENT') return syscall === 'connect'
  return databaseCodes.test(code) || systemCodes.test(code)
}
