import { readTest } from '../../protocol/request/filters.ts'
import { type Admit, readCurrent, readVersion, type StoredVersion } from '../../records/read.ts'
import type { Caller } from '../caller.ts'
import type { StoreContext } from '../context.ts'

/** What a read asks for. */
export interface Wanted {
  readonly type: string
  readonly id: string
}

/** The current state of a record; undefined when it never existed, and when the caller's scopes do not let read it (§10). */
export async function readableCurrent(
  context: StoreContext,
  caller: Caller,
  { type, id }: Wanted,
  admit: Admit,
): Promise<StoredVersion | undefined> {
  const found = await readCurrent(context.pool, caller.tenant, type, id, admit)
  return found && mayRead(caller, type, found) ? found : undefined
}

/** One version of a record. Granular scopes let read old versions only of records whose current state they let read too. */
export async function readableVersion(
  context: StoreContext,
  caller: Caller,
  { type, id }: Wanted,
  version: number,
  admit: Admit,
): Promise<StoredVersion | undefined> {
  const found = await readVersion(context.pool, caller.tenant, type, id, version, admit)
  if (!found || !mayRead(caller, type, found)) return undefined
  if (caller.grant.readable(type) === 'all') return found
  return (await readableCurrent(context, caller, { type, id }, admit)) && found
}

/** A tombstone meets no query. */
function mayRead({ grant, base }: Caller, type: string, { body }: StoredVersion): boolean {
  const readable = grant.readable(type)
  return readable === 'all' || (body !== null && readTest(readable, { base, now: new Date() })(String(body)))
}
