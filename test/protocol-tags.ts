import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Node, parseSync, Visitor } from 'oxc-parser'

/** A tag, such as `S-29` or `§2.6`, and the file where it stands. */
export interface Tagged {
  readonly tag: string
  readonly at: string
}

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = 'docs/reference/protocol'

/** S-29, T-166, O-4; D26, D20b, B10, K3 …: no part of a word, a path, a number (D64.9) or an encoded byte (%C2). */
const rule = String.raw`(?:[STO]-\d{1,3}|D\d{1,2}[a-z]?|[BCGKP]\d{1,2})(?![\w%/-]|\.\d)`
const rules = new RegExp(String.raw`(?<![\w%./+=&#-])(${rule})(?:(?:…|–|\.\.\.?| to )(${rule}))?`, 'g')

/** §4 of the protocol, or "search-params §4"; not the section of an RFC, which has its number before it or more levels. */
const sections = /(?<!RFC \d{1,5} )(search-params )?§(\d{1,2}(?:\.\d{1,2})?)(?!\.?\d)/g

/** The tags of a text, ranges as all that they hold. */
export function tagsIn(text: string): string[] {
  const line = text.replaceAll(/\s*\n[\s*]*/g, ' ')
  const cited = [...line.matchAll(rules)].flatMap(([, from, to]) => (to === undefined ? [from!] : range(from!, to)))
  const of = [...line.matchAll(sections)].map(([, filters = '', number]) => `${filters}§${number}`)
  return [...cited, ...of]
}

function range(from: string, to: string): string[] {
  const [letter, first] = partsOf(from)
  const [other, last] = partsOf(to)
  if (letter !== other || last <= first) throw new Error(`${from} to ${to} is no range`)
  return Array.from({ length: last - first + 1 }, (_, index) => `${letter}${first + index}`)
}

function partsOf(tag: string): [letter: string, number: number] {
  const [, letter, number] = /^(\D+)(\d+)/.exec(tag)!
  return [letter!, Number(number)]
}

/** The rules of docs/reference/protocol: rows and headings that begin with a tag. */
export function definedRules(): Tagged[] {
  const definition = /^(?:\| |## )((?:search-params )?§[\d.]+|[A-Z]-?\d+[a-z]?) /gm
  return filesUnder(pages, ['.md']).flatMap((at) =>
    [...textOf(at).matchAll(definition)].map(([, tag]) => ({ tag: tag!, at })),
  )
}

/** What the code, the tests and the benchmark cite: in comments, and tests also in their names. The test of this has samples only. */
export function citedByCode(): Tagged[] {
  return ['src', 'test', 'bench']
    .flatMap((folder) => filesUnder(folder, ['.ts', '.sql']))
    .filter((at) => !at.endsWith('.generated.ts') && !at.startsWith('test/protocol-'))
    .flatMap((at) => (at.endsWith('.sql') ? sqlTags(textOf(at)) : typeScriptTags(at)).map((tag) => ({ tag, at })))
}

/** What the pages cite, outside of samples. */
export function citedByPages(): Tagged[] {
  const atRoot = readdirSync(root).filter((name) => name.endsWith('.md'))
  return [...atRoot, ...filesUnder('docs', ['.md'])].flatMap((at) =>
    tagsIn(textOf(at).replaceAll(/^```.*?^```/gms, '')).map((tag) => ({ tag, at })),
  )
}

function filesUnder(folder: string, endings: readonly string[]): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => endings.some((ending) => file.endsWith(ending)))
    .map((file) => `${folder}/${file.split(sep).join('/')}`)
}

const textOf = (at: string): string => readFileSync(join(root, at), 'utf8')

const sqlTags = (text: string): string[] => [...text.matchAll(/--(.*)$/gm)].flatMap(([, comment]) => tagsIn(comment!))

function typeScriptTags(at: string): string[] {
  const { program, comments } = parseSync(at, textOf(at))
  const tags = comments.flatMap(({ value }) => tagsIn(value))
  if (/^src\/(?!.*\.test\.ts$)/.test(at)) return tags
  const add = (nodes: readonly (Node | null)[]): void => {
    tags.push(...nodes.flatMap(textsOf).flatMap(tagsIn))
  }
  new Visitor({
    // test('D26: …'), and functions that make rows of scenarios
    CallExpression: (call) => add(call.arguments),
    // ['T-92, an encoded value', …]: the other columns are data, such as the unit K2
    ArrayExpression: ({ elements }) => add(elements.slice(0, 1)),
    Property: ({ key, value }) => {
      if (key.type !== 'Identifier' || value.type !== 'ArrayExpression') return
      if (key.name === 'rules') add(value.elements.slice(1))
      if (key.name === 't') tags.push(...value.elements.flatMap(numbersOf).map((number) => `T-${number}`))
    },
  }).visit(program)
  return tags
}

function textsOf(node: Node | null): string[] {
  if (node?.type === 'Literal' && typeof node.value === 'string') return [node.value]
  return node?.type === 'TemplateLiteral' ? node.quasis.map(({ value }) => value.cooked ?? '') : []
}

const numbersOf = (node: Node | null): number[] =>
  node?.type === 'Literal' && typeof node.value === 'number' ? [node.value] : []
