import { ownedTypes } from '../../fhir/ownership.ts'
import { isReferenceType } from '../../fhir/resource-types.ts'
import type { ExportRequest } from '../request/export-request.ts'

/**
 * What packs can do for one type of an export.
 * `copied`: all of the owner's records are wanted as they are, so the packs are.
 * `inflated`: the records of the packs are tested one by one.
 * `passed-over`: packs only tell that an owner has nothing that has changed since; the rest is read as versions.
 */
export type PackUse = 'copied' | 'inflated' | 'passed-over'

/** What of a request decides how packs serve it. */
type Narrowing = Pick<ExportRequest, 'types' | 'filters' | 'since' | 'until' | 'elements'>

/** What a Provenance can be about. */
const targetTypes: readonly string[] = [...ownedTypes]

/** Every record of the selected types is wanted, whatever it says. */
export const isWhole = ({ filters, since, until }: Narrowing): boolean =>
  Object.keys(filters).length === 0 && since === undefined && until === undefined

/**
 * Provenances are exported for themselves, not only those of exported records: all of a whole system, and all of the owners when no
 * type is asked for that they could be about.
 */
export const forThemselves = ({
  reach,
  types,
  provenance,
}: Pick<ExportRequest, 'reach' | 'types' | 'provenance'>): boolean =>
  provenance === 'relevant' && (reach === 'system' || !types.some((type) => ownedTypes.has(type)))

/**
 * How packs serve a type. A Provenance comes along with exported records, and Location, Organization and Practitioner are referred to
 * by them: where only some records are exported one must know which, and that takes reading them. `_elements` changes every record, and
 * packs do not tell what is earlier than `_until`.
 */
export function packUse(request: Narrowing, type: string): PackUse {
  if (request.elements !== undefined || request.until !== undefined) return 'passed-over'
  if (isWhole(request)) return 'copied'
  const { types, filters } = request
  if (types.includes('Provenance')) return 'passed-over'
  if (!Object.hasOwn(filters, type)) return 'copied'
  return types.some(isReferenceType) ? 'passed-over' : 'inflated'
}

/**
 * Whether the packs of an owner's Provenances hold just those that come along when all records of the types are exported (protocol §3).
 * @param targets the distinct sets of types of existing targets, blank-separated `Type,Type`; empty when there are no Provenances
 * @param undisputed no target has two Provenances
 */
export function allComeAlong(
  request: Pick<ExportRequest, 'reach' | 'types' | 'provenance'>,
  targets: string,
  undisputed: boolean,
): boolean {
  if (targets === '' || forThemselves(request)) return true
  const { types, provenance } = request
  const selected: readonly string[] = types
  const relevant =
    targetTypes.every((type) => selected.includes(type)) ||
    targets.split(' ').every((set) => set.split(',').some((type) => selected.includes(type)))
  return relevant && (provenance === 'relevant' || undisputed)
}
