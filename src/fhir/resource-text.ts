import { hash } from 'node:crypto'
import { formatInstant, parseInstant } from './instant.ts'
import { jsonExcess } from './json/json-excess.ts'
import { jsonFault } from './json/json-fault.ts'
import type { JsonObject } from './json/json-object.ts'
import { jsonDepthMax, type Member, membersOf, oneLine, repeatedKey } from './json/json-text.ts'
import { isId, isTypeName } from './reference.ts'
import type { ResourceScan } from './resource-scan.ts'

/**
 * A resource as the client wrote it, cut open inside `meta`: the stored line is what stands before the cut, then `versionId` and
 * `lastUpdated`, then what stands behind it. Nothing else of the text changes, so `1.10` stays `1.10`.
 */
export interface ResourceText {
  /** UTF-8, with a zero byte at the cut. */
  readonly bytes: Buffer
  readonly cut: number
  /** The source's `meta.lastUpdated`, a string of any content. */
  readonly lastUpdated: string | undefined
}

/** A resource that was read: what it is, its text, and its parsed form, which is large and not to be kept. */
export interface ReadResource {
  readonly type: string
  readonly id: string
  readonly resource: JsonObject
  readonly text: ResourceText
}

/** Why a text is not a resource that can be stored; `expression` is a FHIRPath location. */
export interface TextFault {
  /** `extension`: the text is a resource, of which a modifier extension says that it may mean something else. */
  readonly kind?: 'extension'
  readonly fault: string
  readonly expression?: string
}

/** Arrays, objects, and members or items behind the first of each, in one record: parsing takes a server's time, and nobody else's. */
export const recordValuesMax = 250_000

/**
 * Reads the JSON text of one resource. Linear in the text; what would cost much is refused before it is parsed.
 * @param assignedId the id the server gives the resource (FHIR create, update); without it the text must have one
 */
export function readResourceText(source: string, assignedId?: string): ReadResource | TextFault {
  const excess = jsonExcess(source, { depthMax: jsonDepthMax + 1, valuesMax: recordValuesMax })
  if (excess === 'depth') return { fault: 'nested too deep' }
  if (excess === 'values') return { fault: `more than ${recordValuesMax} values` }
  let resource: unknown
  try {
    resource = JSON.parse(source)
  } catch {
    return { fault: `not JSON: it ${jsonFault(source)}` }
  }
  if (typeof resource !== 'object' || resource === null || Array.isArray(resource)) {
    return { fault: 'not a JSON object' }
  }
  return cutOpen(resource as JsonObject, source, assignedId)
}

function cutOpen(resource: JsonObject, source: string, assignedId: string | undefined): ReadResource | TextFault {
  const type = resource.resourceType
  if (type === undefined) return { fault: 'no resourceType', expression: 'resourceType' }
  if (!isTypeName(type)) return { fault: 'resourceType is not the name of a resource type', expression: 'resourceType' }
  const id = assignedId ?? resource.id
  if (id === undefined) return { fault: 'no id', expression: `${type}.id` }
  if (!isId(id)) {
    return { fault: 'id must be 1 to 64 letters, digits, hyphens or dots', expression: `${type}.id` }
  }
  const meta = resource.meta
  if (meta !== undefined && (typeof meta !== 'object' || meta === null || Array.isArray(meta))) {
    return { fault: 'meta is not an object', expression: `${type}.meta` }
  }
  const line = oneLine(source)
  const stated = membersOf(line)
  if (!stated) return { fault: 'nested too deep', expression: type }
  const twice = repeatedKey(line)
  if (twice !== undefined) return { fault: `the member "${twice}" stands twice`, expression: type }
  const text = resource.id === id ? line : withId(line, id, stated)
  const members = text === line ? stated : membersOf(text)!
  const updated = (meta as JsonObject | undefined)?.lastUpdated
  const lastUpdated = typeof updated === 'string' ? updated : undefined
  return { type, id, resource, text: { ...encoded(splitAtMeta(text, members)), lastUpdated } }
}

/**
 * The text of a line that is stored: with the same version and time it gives the same line again. What once was stored is not judged
 * anew, for rules may have become stricter since.
 */
export function storedText(line: string): ResourceText {
  return { ...encoded(splitAtMeta(line, membersOf(line)!)), lastUpdated: undefined }
}

/** The pieces of a text before its cut and behind it. */
interface CutText {
  readonly head: readonly string[]
  readonly tail: readonly string[]
}

/** In UTF-8, with a zero byte at the cut. A long text is not joined before, or it would be there once more. */
function encoded({ head, tail }: CutText): Pick<ResourceText, 'bytes' | 'cut'> {
  const cut = byteLength(head)
  const bytes = Buffer.allocUnsafe(cut + 1 + byteLength(tail))
  let at = 0
  for (const piece of [...head, '\0', ...tail]) at += bytes.write(piece, at)
  return { bytes, cut }
}

const byteLength = (pieces: readonly string[]): number =>
  pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0)

/** Puts the id the server decides on into the text, in the place of the client's or behind `resourceType`. */
function withId(text: string, id: string, members: readonly Member[]): string {
  const own = members.find((member) => member.key === 'id')
  if (own) return `${text.slice(0, own.valueStart)}"${id}"${text.slice(own.valueEnd)}`
  const after = members.find((member) => member.key === 'resourceType')!.valueEnd
  return `${text.slice(0, after)},"id":"${id}"${text.slice(after)}`
}

function splitAtMeta(text: string, members: readonly Member[]): CutText {
  const meta = members.find((member) => member.key === 'meta')
  if (!meta) {
    const after = members.find((member) => member.key === 'id')!.valueEnd
    return { head: [text.slice(0, after), ',"meta":{'], tail: ['}', text.slice(after)] }
  }
  const kept = membersOf(text, meta.valueStart)!
    .filter(({ key }) => key !== 'versionId' && key !== 'lastUpdated')
    .flatMap(({ start, valueEnd }) => [',', text.slice(start, valueEnd)])
  return { head: [text.slice(0, meta.valueStart), '{'], tail: [...kept, '}', text.slice(meta.valueEnd)] }
}

/** The source's `meta.lastUpdated` in milliseconds since 1970, when it is a valid instant. */
export const statedLastUpdated = ({ lastUpdated }: ResourceText): number | undefined =>
  lastUpdated === undefined ? undefined : parseInstant(lastUpdated)

/** The line to store for one version: one line of JSON without its line feed, in UTF-8. */
export function storedLine(text: ResourceText, versionId: number, lastUpdated: number): Buffer {
  const line = Buffer.allocUnsafe(text.bytes.length + stampBytesMax)
  return line.subarray(0, writeStoredLine(text, versionId, lastUpdated, line, 0))
}

/** What `versionId` and `lastUpdated` take of a line at most. */
export const stampBytesMax = 80

/** Records that are written together mostly have the same time. */
let latest = { ms: Number.NaN, text: '' }

function instantText(ms: number): string {
  if (ms !== latest.ms) latest = { ms, text: formatInstant(ms) }
  return latest.text
}

/** Writes the stored line into `target` and returns its length. */
export function writeStoredLine(
  { bytes, cut }: ResourceText,
  versionId: number,
  lastUpdated: number,
  target: Buffer,
  at: number,
): number {
  const head = bytes.copy(target, at, 0, cut)
  const stamp = target.write(
    `"versionId":"${versionId}","lastUpdated":"${instantText(lastUpdated)}"`,
    at + head,
    'latin1',
  )
  return head + stamp + bytes.copy(target, at + head + stamp, cut + 1)
}

/** A 16-byte digest of everything but `versionId` and `lastUpdated`: equal digests mean an unchanged record. */
export function digestOf({ bytes }: ResourceText): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary').slice(0, 16), 'latin1')
}

/**
 * The text of a resource that was scanned: the same that `readResourceText` makes of it.
 * @param givenId the id that it gets, where it states none or another one
 */
export function scannedText(source: Buffer, scan: ResourceScan, givenId?: string): ResourceText {
  const { resourceType, id, meta, lastUpdated } = scan
  const copy = new TextCopy(source, givenId?.length ?? 0)
  const isIdFirst = !meta || (id ?? resourceType).start < meta.start
  if (isIdFirst) copy.writeId(scan, givenId)
  const cut = copy.openMeta(scan)
  if (!isIdFirst) copy.writeId(scan, givenId)
  return {
    bytes: copy.end(),
    cut,
    lastUpdated: lastUpdated && source.toString('utf8', lastUpdated.start, lastUpdated.end),
  }
}

const idBefore = ',"id":"'
const metaBefore = ',"meta":{\0}'
/** What is written at most that is not in the source, beside the id. */
const spare = idBefore.length + 1 + metaBefore.length + 2

/** Texts are put side by side into large buffers: one buffer for each would cost more than all else that is done for it. */
const slabBytes = 1024 * 1024
let slab: Buffer = Buffer.alloc(0)

/** A source that is copied from its beginning to its end, with something else in some places. */
class TextCopy {
  readonly #source: Buffer
  readonly #target: Buffer
  /** What of the source is copied, and where the copy ends. */
  #from = 0
  #at = 0

  constructor(source: Buffer, moreBytes: number) {
    const room = source.length + spare + moreBytes
    if (room > slab.length) slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, room))
    this.#source = source
    this.#target = slab
  }

  writeId({ resourceType, id }: ResourceScan, given: string | undefined): void {
    this.#keep(id ? id.start : resourceType.end + 1)
    if (given === undefined) return
    this.#write(id ? given : `${idBefore}${given}"`)
    if (id) this.#from = id.end
  }

  /** @returns where `versionId` and `lastUpdated` are to stand */
  openMeta({ id, meta, metaKept }: ResourceScan): number {
    if (!meta) {
      if (id) this.#keep(id.end + 1)
      this.#write(metaBefore)
      return this.#at - 2
    }
    this.#keep(meta.start + 1)
    const cut = this.#at
    this.#target[this.#at++] = 0
    for (const { start, end } of metaKept) {
      this.#target[this.#at++] = comma
      this.#at += this.#source.copy(this.#target, this.#at, start, end)
    }
    this.#target[this.#at++] = closeBrace
    this.#from = meta.end
    return cut
  }

  end(): Buffer {
    this.#keep(this.#source.length)
    slab = this.#target.subarray(this.#at)
    return this.#target.subarray(0, this.#at)
  }

  #keep(end: number): void {
    this.#at += this.#source.copy(this.#target, this.#at, this.#from, end)
    this.#from = end
  }

  #write(text: string): void {
    this.#at += this.#target.write(text, this.#at, 'latin1')
  }
}

const comma = 0x2c
const closeBrace = 0x7d
