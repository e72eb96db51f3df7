import type { ResourceType } from '../../fhir/resource-types.ts'
import { type Grant, isNamedOnly } from '../grant.ts'
import type { Profile } from '../profile.ts'
import type { BinaryContexts, ExportRequest } from './export-request.ts'
import { coversFile } from './filters.ts'

/** What may decide who reads a Binary (D37), where the token may not read all of it. */
export function binaryContexts(
  types: readonly ResourceType[],
  grant: Grant,
  { attachments, exportedTypes }: Profile,
): Pick<ExportRequest, 'contexts'> {
  if (!attachments || !types.includes('Binary')) return {}
  const readable = exportedTypes.map((type) => [type, grant.readable(type)] as const)
  const closed = readable.flatMap(([type, what]) => (what === 'none' ? [type] : []))
  const narrowed = readable.flatMap(([type, what]) => (typeof what === 'string' ? [] : [[type, what] as const]))
  if (closed.length === 0 && narrowed.length === 0) return {}
  return { contexts: { closed, narrowed: Object.fromEntries(narrowed) } }
}

/** Whether the token may read whatever protects Binaries. What is granted by name alone protects none. */
export const readsEveryContext = ({ contexts }: Pick<ExportRequest, 'contexts'>): boolean =>
  contexts === undefined || (contexts.closed.every(isNamedOnly) && Object.keys(contexts.narrowed).length === 0)

const nothing: BinaryContexts = { closed: [], narrowed: {} }

/** Whether the Binaries of an export may be protected by what a caller may not read as much of as whoever asked for it (D20b). */
export function lacksContexts(
  { types, contexts: then = nothing }: Pick<ExportRequest, 'types' | 'contexts'>,
  grant: Grant,
  profile: Profile,
): boolean {
  const { contexts: now = nothing } = binaryContexts(types, grant, profile)
  const closed: readonly string[] = then.closed
  if (now.closed.some((type) => !isNamedOnly(type) && !closed.includes(type))) return true
  return Object.entries(now.narrowed).some(([type, queries]) => {
    const narrowedBy = then.narrowed[type]
    return !closed.includes(type) && !coversFile(queries, narrowedBy && [narrowedBy])
  })
}
