import { type Identifier, identifiersOf } from '../fhir/identifier.ts'
import { modifierExtensionIn } from '../fhir/modifier-extension.ts'
import { somebody } from '../fhir/open-reference.ts'
import { isCrowd, nobody } from '../fhir/ownership.ts'
import { isId, isTypeName } from '../fhir/reference.ts'
import { attachmentRefs } from '../fhir/relations/attachment-urls.ts'
import { type Relations, relationsOf } from '../fhir/relations/relations.ts'
import { scannedRelations } from '../fhir/relations/scanned-relations.ts'
import type { ResourceScan, Span } from '../fhir/resource-scan.ts'
import { ResourceScanner } from '../fhir/resource-scanner.ts'
import {
  digestOf,
  type ResourceText,
  readResourceText,
  recordValuesMax,
  scannedText,
  storedText,
  type TextFault,
} from '../fhir/resource-text.ts'

/** A record on its way into the store: everything that can be known of it without looking at the store. */
export interface Draft {
  readonly text: ResourceText
  readonly type: string
  readonly id: string
  /** `Type/id` */
  readonly key: string
  /** The id that the source states, if any; `id` may be another one that the server gave. */
  readonly statedId: unknown
  /** In order, `['']` when the record belongs to nobody; undefined for a Provenance, whose owners are those of its targets. */
  readonly owners: readonly string[] | undefined
  /** Provenance: distinct `Type/id` of types with owners. */
  readonly targets: readonly string[]
  /** `Type/id` of records that may come along with it, and marks of open references. */
  readonly refs: readonly string[]
  /** The business identifiers that it can be found by. */
  readonly identifiers: readonly Identifier[]
  /** Whether it names another record by a query, at any depth: `Practitioner?identifier=…`. A Bundle only passes on what others say. */
  readonly conditional: boolean
  readonly digest: Buffer
}

/** What a Bundle has to know of a resource whose references are not resolved yet. */
export type Sketch = Pick<Draft, 'type' | 'id' | 'key' | 'statedId' | 'identifiers' | 'conditional'>

/** The longest text of one record, in bytes of UTF-8. */
export const recordBytesMax = 16 * 1024 * 1024

/** What a server may have added to a text: `id` and `meta`. What was stored and exported can be loaded again. */
const addedBytesMax = 160

/** Whether a text is longer than a record may be, in whatever form it came: its version and time, and blanks around it, do not count. */
export const isTooLong = ({ text }: Draft): boolean => text.bytes.length > recordBytesMax + addedBytesMax

/** The most identifiers of one record. One of them that could not be found by would be worse than a refusal. */
export const identifiersMax = 1_000

/**
 * Distinct targets of one Provenance that belong to patients. Each is looked up while the write may hold up all others, so whoever has
 * more makes several Provenances.
 */
export const provenanceTargetsMax = 10_000

/**
 * Reads one resource into a draft.
 * @param bases the tenant's own FHIR bases: absolute references under them are local
 * @param assignedId see `readResourceText`
 */
export function draftOf(source: string, bases: readonly string[], assignedId?: string): Draft | TextFault {
  const read = readResourceText(source, assignedId)
  if ('fault' in read) return read
  const { type, id, resource, text } = read
  const modified = type === 'Group' ? modifierExtensionIn(resource, 'Group') : undefined
  if (modified !== undefined) return { kind: 'extension', fault: groupFault, expression: modified }
  const [relations, identifiers] = [relationsOf(resource, type, id, bases), identifiersOf(resource)]
  return describe({ type, id, statedId: resource.id, relations, identifiers }, text, bases)
}

/** A Group says whose records are exported: one that perhaps says something else is not stored. */
const groupFault = 'a modifier extension may change who is in the Group, and none is understood'

/**
 * The same for the bytes of one line of a file, which must be valid UTF-8: most of them are scanned, which is much faster than
 * parsing them.
 */
export function draftOfLine(line: Buffer, bases: readonly string[], assignedId?: string): Draft | TextFault {
  const scan = scanner.scan(line)
  return (scan && scannedDraft(line, scan, bases, assignedId)) ?? draftOf(line.toString(), bases, assignedId)
}

/** The same for a text that was sent: one that may have more values than a record is parsed, which tells. */
export function draftOfSent(
  source: string,
  bases: readonly string[],
  assignedId: string | undefined,
): Draft | TextFault {
  return source.length > recordValuesMax
    ? draftOf(source, bases, assignedId)
    : draftOfLine(bytesOf(source), bases, assignedId)
}

/**
 * The draft of a record that is stored, as it would be written now: whose it is and what it refers to may be told by other rules. Once it
 * was taken, nobody refuses it: bounds of what one record may have are not asked.
 */
export function draftOfStored(line: string, type: string, id: string, bases: readonly string[]): Draft {
  const resource = JSON.parse(line)
  const relations = { ...relationsOf(resource, type, id, bases), conditional: false }
  return completed(
    sketchOf({ type, id, statedId: id, relations, identifiers: identifiersOf(resource) }),
    storedText(line),
    bases,
  )
}

/** As much of that draft as does not depend on what the references of the text become, with the same faults. */
export function sketchOfSent(source: string, bases: readonly string[], assignedId: string): Sketch | TextFault {
  const line = source.length > recordValuesMax ? undefined : bytesOf(source)
  const scan = line && scanner.scan(line)
  const outlined = scan && scannedOutline(line, scan, bases, assignedId)
  return outlined ? sketch(outlined) : draftOf(source, bases, assignedId)
}

/** Bytes of a text until those of the next one are asked for: what is made of them has bytes of its own. */
const bytesOf = (text: string): Buffer =>
  text.length > scratchChars ? Buffer.from(text) : scratch.subarray(0, scratch.write(text))

const scratchChars = 32 * 1024
/** UTF-16 units take at most three bytes of UTF-8. */
const scratch = Buffer.allocUnsafeSlow(3 * scratchChars)

const scanner = new ResourceScanner()

/** A draft of what was scanned; undefined for what only parsing can judge. */
function scannedDraft(
  line: Buffer,
  scan: ResourceScan,
  bases: readonly string[],
  assignedId: string | undefined,
): Draft | TextFault | undefined {
  const outlined = scannedOutline(line, scan, bases, assignedId)
  if (!outlined) return undefined
  const { id, statedId } = outlined
  return describe(outlined, scannedText(line, scan, id === statedId ? undefined : id), bases)
}

/** What a resource says, but for its text. */
interface Outlined {
  readonly type: string
  readonly id: string
  readonly statedId: unknown
  readonly relations: Relations
  readonly identifiers: readonly Identifier[]
}

function scannedOutline(
  line: Buffer,
  scan: ResourceScan,
  bases: readonly string[],
  assignedId: string | undefined,
): Outlined | undefined {
  const text = ({ start, end }: Span) => line.toString('utf8', start, end)
  const type = text(scan.resourceType)
  const statedId = scan.id && text(scan.id)
  const id = assignedId ?? statedId
  if (!isTypeName(type) || type === 'Group' || !isId(id)) return undefined
  const identifiers = scan.identifiers.flatMap(({ system, value }) =>
    value ? [{ system: system ? text(system) : '', value: text(value) }] : [],
  )
  return { type, id, statedId, relations: scannedRelations(line, scan, type, id, bases), identifiers }
}

function describe(outlined: Outlined, text: ResourceText, bases: readonly string[]): Draft | TextFault {
  const sketched = sketch(outlined)
  return 'fault' in sketched ? sketched : completed(sketched, text, bases)
}

/** `owners` may be a crowd. */
type Sketched = Omit<Draft, 'text' | 'digest'>

function completed(sketched: Sketched, text: ResourceText, bases: readonly string[]): Draft {
  const { type, owners = nobody } = sketched
  const isCrowded = isCrowd(type, owners.length, text.bytes.length)
  const more = [...attachmentRefs(text.bytes, type, bases), ...(isCrowded ? [somebody.crowd] : [])]
  const refs = more.length === 0 ? sketched.refs : [...new Set([...sketched.refs, ...more])]
  return { ...sketched, ...(isCrowded ? { owners: nobody } : {}), refs, text, digest: digestOf(text) }
}

function sketch(outlined: Outlined): Sketched | TextFault {
  const { type, identifiers, relations } = outlined
  if (identifiers.length > identifiersMax) {
    return { fault: `more than ${identifiersMax} identifiers`, expression: `${type}.identifier` }
  }
  if (relations.targets.length > provenanceTargetsMax) {
    return { fault: `more than ${provenanceTargetsMax} targets`, expression: 'Provenance.target' }
  }
  return sketchOf(outlined)
}

function sketchOf({ type, id, statedId, relations, identifiers }: Outlined): Sketched {
  const { owners, targets, refs, conditional } = relations
  return {
    type,
    id,
    key: `${type}/${id}`,
    statedId,
    owners,
    targets,
    refs,
    identifiers,
    conditional: conditional && type !== 'Bundle',
  }
}
