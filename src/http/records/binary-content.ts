import { NamedMembers } from '../../fhir/json/named-members.ts'

/** The bytes of a Binary, and what they are. */
export interface BinaryContent {
  readonly contentType: string
  readonly data: Buffer
}

const names = ['contentType', 'data'] as const
const members = new NamedMembers(names)
const mediaType = /^[\w.+-]+\/[\w.+-]+([\t ]*;[\x20-\x7e]*)?$/

/** Whether FHIR JSON is asked for, in which a Binary is a resource like others. */
export const asksForResource = (accept: string | undefined): boolean =>
  accept !== undefined && /application\/(fhir\+json|json\+fhir)/i.test(accept)

/** What a stored Binary holds; undefined where it has no content. A long one is not parsed. */
export function binaryContent(body: Buffer): BinaryContent | undefined {
  const [contentType, data] = members.find(body, 0, body.length)
    ? names.map((_, index) => stringIn(body, index))
    : parsed(body)
  if (contentType === undefined || data === undefined) return undefined
  return {
    contentType: mediaType.test(contentType) ? contentType : 'application/octet-stream',
    data: Buffer.from(data, 'base64'),
  }
}

const quote = 0x22

function stringIn(body: Buffer, index: number): string | undefined {
  const [start, end] = [members.starts[index]!, members.ends[index]!]
  if (end === 0 || body[start] !== quote) return undefined
  const text = body.toString('latin1', start + 1, end - 1)
  // Escapes, and letters of other alphabets.
  return /[\\\x80-\xff]/.test(text) ? JSON.parse(body.toString('utf8', start, end)) : text
}

function parsed(body: Buffer): (string | undefined)[] {
  const resource = JSON.parse(body.toString())
  return names.map((name) => (typeof resource[name] === 'string' ? resource[name] : undefined))
}
