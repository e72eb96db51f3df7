import { promisify } from 'node:util'
import { constants, deflateRaw, inflateRaw } from 'node:zlib'

const deflate = promisify(deflateRaw) as (text: Buffer, options: { readonly level: number }) => Promise<Buffer>
const inflate = promisify(inflateRaw) as (bytes: Buffer) => Promise<Buffer>

/** The first byte of a packed text: what follows is the text, or is deflated. */
const plainForm = 0
const deflatedForm = 1

/** A text as a row keeps it: 20,000 ids of any kind take half of what they take as they are, or less. */
export const packText = async (text: string): Promise<Buffer> =>
  Buffer.concat([Buffer.of(deflatedForm), await deflate(Buffer.from(text), { level: constants.Z_DEFAULT_COMPRESSION })])

/** @throws when the bytes are no packed text */
export async function unpackText(packed: Buffer): Promise<string> {
  const bytes = packed.subarray(1)
  if (packed[0] === deflatedForm) return (await inflate(bytes)).toString('utf8')
  if (packed[0] === plainForm) return bytes.toString('utf8')
  throw new Error('a packed text has an unknown form')
}

/** Ids, none of which holds a line feed; the empty one stands for nobody. */
export const packIds = (ids: readonly string[]): Promise<Buffer> => packText(ids.map((id) => `${id}\n`).join(''))

/** No ids at all. */
export const packedNoIds: Buffer = Buffer.of(plainForm)

export const unpackIds = async (packed: Buffer): Promise<string[]> =>
  (await unpackText(packed)).split('\n').slice(0, -1)
