import fc from 'fast-check'

/** JSON as its writer may have put it: literals are texts, so that `1.10` and `"\u0041"` can be told from `1.1` and `"A"`. */
export type JsonSource =
  | { readonly literal: string }
  | { readonly items: readonly JsonSource[] }
  | { readonly members: readonly JsonMember[] }

/** `key` is a JSON string literal. */
export interface JsonMember {
  readonly key: string
  readonly value: JsonSource
}

const numbers = ['0', '-0', '1.10', '1.0', '100', '1e5', '1E-7', '-12.50', '123456789012345678901234567890', '0.1']
const strings = [
  '""',
  '"a b"',
  '"\\u0041"',
  '"\\/escaped\\/"',
  '"back\\\\"',
  '"quote\\" and {[,:"',
  '"tab\\tfeed\\n"',
  '"\u2028 é 😀"',
  '"\\ud83d\\ude00"',
  '"1.10"',
]
const literal = fc.constantFrom(...numbers, ...strings, 'true', 'false', 'null').map((text) => ({ literal: text }))

const freeKeys = ['"a"', '"b"', '"active"', '"\\u0061bc"', '"_birthDate"', '"k\\"ey"', '"text"', '"é"', '""']

/** Members with distinct keys, none of which Millrace knows. */
export const freeMembers = (value: fc.Arbitrary<JsonSource>, maxLength: number): fc.Arbitrary<JsonMember[]> =>
  fc.uniqueArray(fc.record({ key: fc.constantFrom(...freeKeys), value }), {
    selector: ({ key }) => JSON.parse(key) as string,
    maxLength,
  })

/** Any JSON value of small depth. */
export const jsonSource: fc.Arbitrary<JsonSource> = fc.letrec<{ value: JsonSource }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    literal,
    fc.array(tie('value'), { maxLength: 4 }).map((items) => ({ items })),
    freeMembers(tie('value'), 4).map((members) => ({ members })),
  ),
})).value

/** Blanks between tokens, taken in turn. */
const blanksOf = (...choices: string[]) => fc.array(fc.constantFrom(...choices), { minLength: 1, maxLength: 7 })
export const blanksOfOneLine = blanksOf('', ' ', '\t', '  ')
export const blanksOfManyLines = blanksOf('\n', '\r\n', '\n  ', ' ', '').filter((blanks) =>
  blanks.some((blank) => /\n/.test(blank)),
)

/** Writes the JSON with the given blanks, one after the other, wherever blanks may stand but at the ends. */
export function render(source: JsonSource, blanks: readonly string[]): string {
  let used = 0
  const blank = () => blanks[used++ % blanks.length]!
  const separated = (open: string, texts: readonly string[], close: string) => {
    if (texts.length === 0) return `${open}${blank()}${close}`
    return `${open}${texts.map((text) => `${blank()}${text}${blank()}`).join(',')}${close}`
  }
  const write = (value: JsonSource): string => {
    if ('literal' in value) return value.literal
    if ('items' in value) return separated('[', value.items.map(write), ']')
    return separated(
      '{',
      value.members.map((member) => `${member.key}${blank()}:${blank()}${write(member.value)}`),
      '}',
    )
  }
  return write(source)
}

/** The tokens of a JSON text, blanks left out. */
export const tokensOf = (text: string): string[] => text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? []
