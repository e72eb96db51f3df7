import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Expression, type Node, parseSync, Visitor } from 'oxc-parser'

/** A problem as the code makes it. Parts that differ from one occurrence to the next are an ellipsis in `text`. */
export interface ProblemKind {
  /** The status; the severity of what is told in an answer that is no refusal. */
  readonly status: string
  /** The fine codes; none when the code does not say them in the same place. */
  readonly codes: readonly string[]
  readonly text: string
  /** Where it is made: `src/http/files/file.ts:31`. */
  readonly at: string
}

/** Where a function that makes problems has its status, code and text among its arguments; or what they always are. */
interface Maker {
  readonly status: number | string
  readonly code: number | string
  readonly text: number
}

/** All functions that make problems. One that hands a text on to another of them belongs here too. */
const makers: Readonly<Record<string, Maker>> = {
  problem: { status: 0, code: 1, text: 2 },
  '#problem': { status: 0, code: 1, text: 2 },
  '#refuse': { status: 0, code: 1, text: 2 },
  unauthorized: { status: '401', code: 1, text: 2 },
  forbidden: { status: '403', code: 'forbidden', text: 1 },
}

const root = fileURLToPath(new URL('..', import.meta.url))

/** The folders whose code answers requests. */
const folders = ['access', 'audit', 'engine', 'filter', 'http', 'protocol']

/** Every problem of the sources. */
export function problemKinds(): ProblemKind[] {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => folders.includes(file.split(sep)[0]!))
    .filter((file) => file.endsWith('.ts') && !/\.(test|fixture|generated)\.ts$/.test(file))
    .flatMap((file) => new Source(join(root, 'src', file)).kinds())
}

/** One source file. */
class Source {
  readonly #path: string
  readonly #text: string
  readonly #kinds: ProblemKind[] = []
  /** The constants of the file by name, in order, to look up what a name means where it is used. */
  readonly #constants: { readonly name: string; readonly start: number; readonly value: Expression }[] = []
  /** Where the makers themselves are: they hand on what they are given. */
  readonly #bodies: Node[] = []

  constructor(path: string) {
    this.#path = path
    this.#text = readFileSync(path, 'utf8')
  }

  kinds(): ProblemKind[] {
    const { program } = parseSync(this.#path, this.#text)
    new Visitor({
      VariableDeclarator: ({ id, init, start }) => {
        if (id.type !== 'Identifier' || !init) return
        this.#constants.push({ name: id.name, start, value: init })
        if (Object.hasOwn(makers, id.name)) this.#bodies.push(init)
      },
      FunctionDeclaration: (node) => {
        if (node.id && Object.hasOwn(makers, node.id.name)) this.#bodies.push(node)
      },
      MethodDefinition: (node) => {
        if (Object.hasOwn(makers, nameOf(node.key))) this.#bodies.push(node)
      },
    }).visit(program)
    new Visitor({
      CallExpression: (call) => {
        const callee = call.callee.type === 'MemberExpression' ? call.callee.property : call.callee
        const name = nameOf(callee)
        if (!Object.hasOwn(makers, name) || this.#isInMaker(call)) return
        const { status, code, text } = makers[name]!
        const argument = (at: number | string): string[] =>
          typeof at === 'string' ? [at] : this.#valuesOf(call.arguments[at] as Expression | undefined)
        this.#add(call, argument(status), argument(code), argument(text))
      },
      ObjectExpression: (object) => {
        const members = new Map<string, Expression>()
        for (const property of object.properties) {
          if (property.type === 'Property') members.set(nameOf(property.key), property.value)
        }
        const [severity, code, text] = ['severity', 'code', 'text'].map((name) => members.get(name))
        if (!severity || !code || !text || this.#isInMaker(object)) return
        const severities = this.#valuesOf(severity)
        if (severities.length > 0) this.#add(object, severities, this.#valuesOf(code), this.#valuesOf(text))
      },
    }).visit(program)
    return this.#kinds
  }

  #isInMaker({ start, end }: Node): boolean {
    return this.#bodies.some((body) => body.start <= start && end <= body.end)
  }

  #add(node: Node, statuses: readonly string[], codes: readonly string[], texts: readonly string[]): void {
    const at = `${relative(root, this.#path)}:${this.#text.slice(0, node.start).split('\n').length}`
    if (statuses.length === 0 || texts.length === 0) {
      throw new Error(`${at}: the text of a problem must stand where it is made, or its function among the makers`)
    }
    for (const status of statuses) for (const text of texts) this.#kinds.push({ status, codes, text, at })
  }

  /** The texts that an expression may be; none when only the running program knows. */
  #valuesOf(node: Expression | undefined): string[] {
    if (node === undefined) return []
    switch (node.type) {
      case 'Literal':
        return [String(node.value)]
      case 'TemplateLiteral':
        return [node.quasis.map(({ value }) => value.cooked ?? '').join('…')]
      case 'ConditionalExpression':
        return [...this.#valuesOf(node.consequent), ...this.#valuesOf(node.alternate)]
      case 'Identifier': {
        const named = this.#constants.filter(({ name }) => name === node.name)
        const nearest = named.findLast(({ start }) => start < node.start) ?? named[0]
        return this.#valuesOf(nearest?.value)
      }
      default:
        return []
    }
  }
}

function nameOf(node: Node): string {
  if (node.type === 'Identifier') return node.name
  return node.type === 'PrivateIdentifier' ? `#${node.name}` : ''
}
