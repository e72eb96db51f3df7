import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Expression, parseSync } from 'oxc-parser'

/** A constant of the program. */
export interface Constant {
  /** `patientsMax`; of a member of an object `requestJson.depthMax`. */
  readonly name: string
  /** Where it stands, from `src/` on, with slashes. */
  readonly file: string
  /** None when it is not made of numbers alone. */
  readonly value: number | undefined
}

const root = fileURLToPath(new URL('../../src', import.meta.url))

/**
 * The convention: a bound is a constant at the top of a file, or a member of an object there, whose name ends in an end of a range, in a
 * unit, or in another of these words (CONTRIBUTING.md: "Bounds have names").
 */
const boundName =
  /(Max|Min|Default|Aimed|Step|Size|Ms|Seconds|Minutes|Hours|Days|Bytes|Chars|Characters|Bits|Mb|perSecond|burst)$/

/** Names of that kind that bound nothing, with the file in whatever folder. */
export const facts: readonly string[] = [
  // Of formats and calendars.
  'copied-row.ts epochMs',
  'copied-row.ts fieldBytes',
  'copy-in.ts epochMs',
  'copy-in.ts fieldBytes',
  'copy-in.ts fixedFieldBytesMax',
  'copy-out.ts headerBytes',
  'crc32.ts digitBits',
  'identifiers.ts tokenBytes',
  'instant.ts instantMsMax',
  'instant.ts instantMsMin',
  'member.ts memberEndBytes',
  'pack-body.ts labelBytesMax',
  'sealed-columns.ts sealBytes',
  'varints.ts varintBytesMax',
  'resource-text.ts stampBytesMax',
  'span.ts minuteMs',
  'store-status.ts dayMs',
  'spool.ts lengthsBytes',
  // Settings, in docs/operating.md.
  'serve.ts hostDefault',
  'serve.ts portDefault',
  'trusted-issuer.ts issuerAlgorithmsDefault',
  // What the made-up patients are like.
  'calendar.ts dayMs',
  'calendar.ts hourMs',
  'calendar.ts minuteMs',
  'calendar.ts yearMs',
  'document.ts largeBytes',
  'group.ts groupMembersMax',
  'monitoring.ts batchSize',
  'monitoring.ts intervalMs',
  'page-patients.ts pageProblemsMin',
  'patient-records.ts panelMax',
  'person.ts ageYearsMax',
  'record-ids.ts idCharactersMax',
  'visit.ts openMinutes',
  'visit.ts visitsMin',
  'write-files.ts utf8BytesMax',
]

/** A constant without the folders it is in: they may change. */
export const baseNameOf = ({ name, file }: Pick<Constant, 'name' | 'file'>): string => `${basename(file)} ${name}`

/** Whether a constant has to be on the page of limits. */
export const isBound = (constant: Constant): boolean =>
  boundName.test(constant.name) && !facts.includes(baseNameOf(constant))

/** The constants of the sources, without tests and generated tables. */
export function readConstants(): Constant[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => file.endsWith('.ts') && !/\.(test|fixture|generated)\.ts$/.test(file))
    .sort()
    .flatMap((file) => Source.of(join(root, file)).constants())
}

/** The values that stand at the top of one file. */
class Source {
  static readonly #known = new Map<string, Source>()
  readonly #path: string
  readonly #values = new Map<string, Expression>()
  /** Local name → the file and the name there. */
  readonly #imports = new Map<string, readonly [path: string, name: string]>()

  static of(path: string): Source {
    const known = Source.#known.get(path) ?? new Source(path)
    Source.#known.set(path, known)
    return known
  }

  private constructor(path: string) {
    this.#path = path
    for (const statement of parseSync(path, readFileSync(path, 'utf8')).program.body) {
      if (statement.type === 'ImportDeclaration' && statement.source.value.startsWith('.')) {
        for (const { type, local, ...rest } of statement.specifiers) {
          if (type !== 'ImportSpecifier' || !('imported' in rest) || rest.imported.type !== 'Identifier') continue
          this.#imports.set(local.name, [join(dirname(path), statement.source.value), rest.imported.name])
        }
      }
      const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
      if (declaration?.type !== 'VariableDeclaration' || declaration.kind !== 'const') continue
      for (const { id, init } of declaration.declarations) {
        if (id.type === 'Identifier' && init) this.#values.set(id.name, init)
      }
    }
  }

  constants(): Constant[] {
    const file = relative(root, this.#path).split(sep).join('/')
    return [...this.#values]
      .flatMap(([name, value]) => this.#named(name, value))
      .map(([name, value]) => ({ name, file, value }))
  }

  /** A constant by its name, or the members of an object that are not constants of their own. Functions are none. */
  #named(name: string, node: Expression): [string, number | undefined][] {
    switch (node.type) {
      case 'TSAsExpression':
      case 'TSSatisfiesExpression':
        return this.#named(name, node.expression)
      case 'ArrowFunctionExpression':
        return []
      case 'ObjectExpression':
        return node.properties.flatMap((member) =>
          member.type === 'Property' && member.key.type === 'Identifier' && member.value.type !== 'Identifier'
            ? this.#named(`${name}.${member.key.name}`, member.value)
            : [],
        )
      default:
        return [[name, this.#number(node)]]
    }
  }

  /** The value of an expression of numbers and names of numbers. */
  #number(node: Expression): number | undefined {
    switch (node.type) {
      case 'Literal':
        return typeof node.value === 'number' ? node.value : undefined
      case 'Identifier': {
        const [path, name] = this.#imports.get(node.name) ?? [this.#path, node.name]
        const source = Source.of(path)
        const value = source.#values.get(name)
        return value && source.#number(value)
      }
      case 'ParenthesizedExpression':
        return this.#number(node.expression)
      case 'BinaryExpression': {
        if (node.left.type === 'PrivateIdentifier') return undefined
        const [left, right] = [this.#number(node.left), this.#number(node.right)]
        const operation = operations[node.operator]
        return left === undefined || right === undefined ? undefined : operation?.(left, right)
      }
      default:
        return undefined
    }
  }
}

const operations: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '**': (left, right) => left ** right,
}
