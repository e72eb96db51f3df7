import { JsonCursor } from '../json/json-cursor.ts'
import { openMarks } from '../open-reference.ts'
import { localReference } from '../reference.ts'
import { attachmentNames } from '../resource-types.generated.ts'

/** The `url` of an Attachment that leads to a Binary of this tenant. */
interface BinaryUrl {
  /** `Binary/id` */
  readonly key: string
  /** Where its text begins, behind the quote. */
  readonly at: number
  readonly isRelative: boolean
}

/** Among references: the record has Attachments whose URLs lead to Binaries, and are relative. */
export const relativeUrls = `${openMarks.relative}/Binary`

/**
 * What is noted of the Attachments of a record: each Binary of this tenant that they lead to, as `Binary/id`, and whether URLs are relative.
 * A Bundle only passes on what others say.
 * @param bytes of the record; its `meta` is not looked at
 */
export function attachmentRefs(bytes: Buffer, type: string, bases: readonly string[]): readonly string[] {
  if (type === 'Bundle' || !mayHaveBinary(bytes)) return []
  const urls = walk.urlsIn(bytes, bases)
  const keys = new Set(urls.map(({ key }) => key))
  return urls.some(({ isRelative }) => isRelative) ? [...keys, relativeUrls] : [...keys]
}

/**
 * A stored line whose Attachments have absolute URLs where they lead to Binaries of this tenant (IG, Attachments). Nothing else of it changes.
 * @param base the tenant's FHIR base
 */
export function withAbsoluteUrls(line: Buffer, base: string): Buffer {
  if (!mayHaveBinary(line)) return line
  const before = Buffer.from(JSON.stringify(`${base}/`).slice(1, -1))
  const pieces: Buffer[] = []
  let from = 0
  for (const { at } of walk.urlsIn(line, []).filter(({ isRelative }) => isRelative)) {
    pieces.push(line.subarray(from, at), before)
    from = at
  }
  return from === 0 ? line : Buffer.concat([...pieces, line.subarray(from)])
}

/** Most records are passed over by this. In a string with escapes a name may be written otherwise. */
const mayHaveBinary = (bytes: Buffer): boolean => bytes.includes('Binary') || bytes.includes('\\u00')

const attachments: ReadonlySet<string> = new Set(attachmentNames)

const quote = 0x22
const comma = 0x2c
const [openBrace, closeBrace] = [0x7b, 0x7d]
const [openBracket, closeBracket] = [0x5b, 0x5d]

/** Goes through a record that is known to be JSON on one line, and no deeper than records may be. */
class AttachmentWalk {
  readonly #json = new JsonCursor()
  #bytes: Buffer = Buffer.alloc(0)
  #bases: readonly string[] = []
  #found: BinaryUrl[] = []

  urlsIn(bytes: Buffer, bases: readonly string[]): readonly BinaryUrl[] {
    this.#bytes = bytes
    this.#bases = bases
    this.#found = []
    this.#json.enter(bytes, 0, bytes.length)
    this.#object({ isRoot: true, isAttachment: false })
    return this.#found
  }

  #value(isAttachment: boolean): void {
    const code = this.#bytes[this.#json.at]
    if (code === openBrace) this.#object({ isRoot: false, isAttachment })
    else if (code === openBracket) this.#array(isAttachment)
    else if (!this.#json.skipValue()) throw new Error('a record is no JSON')
  }

  #array(isAttachment: boolean): void {
    this.#json.at++
    this.#each(closeBracket, () => this.#value(isAttachment))
  }

  #object({ isRoot, isAttachment }: { readonly isRoot: boolean; readonly isAttachment: boolean }): void {
    this.#json.at++
    this.#each(closeBrace, () => {
      const name = this.#string()
      this.#json.skipBlanks()
      this.#json.at++
      this.#json.skipBlanks()
      if (isAttachment && name === 'url' && this.#bytes[this.#json.at] === quote) this.#url()
      else if (isRoot && name === 'meta') this.#json.skipValue()
      else this.#value(attachments.has(name))
    })
  }

  /** Reads what is between brackets, of which the first has been read. */
  #each(close: number, read: () => void): void {
    const json = this.#json
    json.skipBlanks()
    if (this.#bytes[json.at] === close) {
      json.at++
      return
    }
    do {
      json.skipBlanks()
      read()
      json.skipBlanks()
    } while (this.#bytes[json.at++] === comma)
  }

  #url(): void {
    const at = this.#json.at + 1
    const url = this.#string()
    const target = localReference(url, this.#bases)
    if (target?.type !== 'Binary') return
    this.#found.push({ key: `Binary/${target.id}`, at, isRelative: !url.includes(':') })
  }

  #string(): string {
    const start = this.#json.at
    if (this.#bytes[start] !== quote || !this.#json.string()) throw new Error('a record is no JSON')
    const text = this.#bytes.toString('utf8', start + 1, this.#json.at - 1)
    return text.includes('\\') ? JSON.parse(`"${text}"`) : text
  }
}

const walk = new AttachmentWalk()
