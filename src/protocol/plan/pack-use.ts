import { isTargetType } from '../../fhir/resource-types.ts'
import type { ExportRequest } from '../request/export-request.ts'

/** How many of some records are exported. */
export type Extent = 'all' | 'some' | 'none'

/** What of a request decides which records are exported. */
type Narrowing = Pick<ExportRequest, 'types' | 'filters' | 'since' | 'until'>

/** What of it decides how packs serve a type. */
type Asked = Narrowing & Pick<ExportRequest, 'reach' | 'provenance' | 'elements'>

const isTimed = ({ since, until }: Pick<ExportRequest, 'since' | 'until'>): boolean =>
  since !== undefined || until !== undefined

/** Every record of a type is exported, whatever it says. */
export const isWhole = (request: Narrowing, type: string): boolean =>
  (request.types as readonly string[]).includes(type) && !Object.hasOwn(request.filters, type) && !isTimed(request)

/**
 * Provenances are exported for themselves, not only those of exported records: all of a whole system, and all of the owners when no
 * type is asked for that they could be about.
 */
export const forThemselves = ({
  reach,
  types,
  provenance,
}: Pick<ExportRequest, 'reach' | 'types' | 'provenance'>): boolean =>
  provenance === 'relevant' && (reach === 'system' || !types.some(isTargetType))

/**
 * Whether of each Binary it is asked if what its `securityContext` names may be read (D37). Those that partitions of patients have are these
 * patients' own.
 */
export const asksBinaries = ({ reach, contexts }: Pick<ExportRequest, 'reach' | 'contexts'>, type: string): boolean =>
  type === 'Binary' && reach === 'system' && contexts !== undefined

/** How many records are of the times that are asked for. */
export function extentOfTimes(
  { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY }: Pick<ExportRequest, 'since' | 'until'>,
  { oldest, newest }: { readonly oldest: number; readonly newest: number },
): Extent {
  if (newest <= since || oldest >= until) return 'none'
  return oldest > since && newest < until ? 'all' : 'some'
}

/** Records of a type are tested or changed one by one: a pack of them is never copied unread. */
const isTouched = ({ filters, elements }: Asked, type: string): boolean =>
  Object.hasOwn(filters, type) || elements?.[type] !== undefined

/**
 * Whether of the records of a type perhaps only some are exported, or in another form, whatever their own times are. A Provenance comes
 * along with exported records: only where of each of their types all are exported it is known beforehand which come.
 */
export function isChosen(request: Asked, type: string): boolean {
  if (isTouched(request, type)) return true
  if (type !== 'Provenance') return false
  if (forThemselves(request)) return isTimed(request)
  return !request.types.filter(isTargetType).every((target) => isWhole(request, target))
}

/**
 * How many of the Provenances of a pack come along, told from their targets' types (protocol §3); of those that no filter asks about.
 * @param extentOf how many records of a type of the owner are exported
 */
export function comingAlong(request: Asked, pack: ProvenancesTold, extentOf: (type: string) => Extent): Extent {
  const ofThemselves = forThemselves(request) ? extentOfTimes(request, pack) : 'none'
  const ofTargets = extentOfTargets(request, pack, extentOf)
  if (ofThemselves === 'all' || ofTargets === 'all') return 'all'
  return ofThemselves === 'none' && ofTargets === 'none' ? 'none' : 'some'
}

/** Sets of types that are remembered. */
const knownSetsMax = 1_000

/** The same where it is known beforehand of which types every record is exported, and of the others none: packs say the same again and again. */
export function comingAlongWhole(request: Asked): (pack: ProvenancesTold) => Extent {
  const extentOf = (type: string): Extent => (isTargetType(type) && isWhole(request, type) ? 'all' : 'none')
  if (isTimed(request)) return (pack) => comingAlong(request, pack, extentOf)
  const known = new Map<string, Extent>()
  return (pack) => {
    const key = `${pack.slice} ${pack.targets}`
    const extent = known.get(key) ?? comingAlong(request, pack, extentOf)
    if (known.size < knownSetsMax) known.set(key, extent)
    return extent
  }
}

/** What a pack says of its Provenances. */
interface ProvenancesTold {
  readonly targets: string
  readonly slice: 'latest' | 'older' | ''
  readonly oldest: number
  readonly newest: number
}

function extentOfTargets(
  { provenance }: Asked,
  { targets, slice }: ProvenancesTold,
  extentOf: (type: string) => Extent,
): Extent {
  const isLatest = provenance === 'latest'
  if (targets === '' || (isLatest && slice === 'older')) return 'none'
  const whole = isLatest ? isNewestWhole(slice) : isAnyWhole
  const extents = extentsOfSets(targets, extentOf, whole)
  return extents.every((extent) => extent === extents[0]) ? extents[0]! : 'some'
}

/** The newest of its targets comes for one of them; that it does for each of several is known when all of them are exported. */
const isNewestWhole =
  (slice: string) =>
  (extents: readonly Extent[]): boolean =>
    slice === 'latest' && extents.every((extent) => extent === 'all')

const isAnyWhole = (extents: readonly Extent[]): boolean => extents.includes('all')

/**
 * How many Provenances come along of each set of types that their targets have.
 * @param targets sets `Type,Type`, blank-separated; `-` stands for no target
 */
export const extentsOfSets = (
  targets: string,
  extentOf: (type: string) => Extent,
  isWholeOf: (extents: readonly Extent[]) => boolean = isAnyWhole,
): readonly Extent[] =>
  setsOf(targets).map((types) => {
    const extents = types.map(extentOf)
    if (extents.every((extent) => extent === 'none')) return 'none'
    return isWholeOf(extents) ? 'all' : 'some'
  })

type Sets = readonly (readonly string[])[]

/** What was taken apart lately: most owners have the same sets. */
const knownSets = new Map<string, Sets>()

function setsOf(targets: string): Sets {
  const known = knownSets.get(targets)
  if (known !== undefined) return known
  const sets = targets.split(' ').map((set) => (set === '-' ? [] : set.split(',')))
  if (knownSets.size < knownSetsMax) knownSets.set(targets, sets)
  return sets
}
