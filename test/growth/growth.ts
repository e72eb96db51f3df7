import assert from 'node:assert/strict'
import { operationsOf } from '../operations.ts'

/** Of how much work twice as much input may need more: a little more than twice, for what it takes to make lists larger. */
const ratioMax = 2.2

/** Work that does not depend on the input, and how counts differ from run to run. */
const workIgnored = 3_000

const measures = 4

/** 1×, 2×, 4×, 8×. */
const doublings = [1, 2, 4, 8]

/** What the engine does in one call counts as much as the elements or characters that it goes through. */
let gone = 0
type Receiver = { readonly length?: number; readonly size?: number }
const sizeOf = (receiver: unknown): number => (receiver as Receiver).length ?? (receiver as Receiver).size ?? 0

/** Built-in functions that go through all of what they are called on; the search functions stop where they find something. */
const whole: readonly (readonly [object, readonly PropertyKey[]])[] = [
  [Array.prototype, ['slice', 'concat', 'shift', 'unshift', 'splice', 'flat', 'join', 'toReversed', 'reverse']],
  [String.prototype, ['split', 'toLowerCase', 'normalize', 'isWellFormed']],
]
const searches: readonly (readonly [object, readonly PropertyKey[]])[] = [
  [Array.prototype, ['indexOf', 'includes', 'findIndex', 'find']],
  [String.prototype, ['indexOf']],
  [Buffer.prototype, ['indexOf']],
]
/** What `...` and `of` take one step of after the other. */
const iterators: readonly object[] = [[].values(), new Set().values(), new Map().values()].map(
  (iterator) => Object.getPrototypeOf(iterator) as object,
)

type Cost = (receiver: unknown, given: readonly unknown[], result: unknown) => number
let counts = false

/** Lets a built-in function count. It stays so: to put it in its place and back again costs far more than all that is measured. */
function count(target: object, name: PropertyKey, cost: Cost): void {
  const inherited = Reflect.get(target, name) as (...given: unknown[]) => unknown
  Object.defineProperty(target, name, {
    configurable: true,
    writable: true,
    value: function counted(this: unknown, ...given: unknown[]) {
      const result = Reflect.apply(inherited, this, given)
      if (counts) gone += cost(this, given, result)
      return result
    },
  })
}

const toResult: Cost = (_, __, result) => (typeof result === 'number' ? result : sizeOf(result ?? ''))
const toFound: Cost = (receiver, [, from], result) => {
  const start = typeof from === 'number' ? from : 0
  return typeof result === 'number' && result >= 0 ? result - start : Math.max(0, sizeOf(receiver) - start)
}
for (const [target, names] of whole) for (const name of names) count(target, name, sizeOf)
for (const [target, names] of searches) for (const name of names) count(target, name, toFound)
count(JSON, 'parse', (_, [text]) => sizeOf(text))
count(JSON, 'stringify', toResult)
count(Buffer, 'concat', toResult)
count(Buffer, 'from', toResult)
count(Buffer.prototype, 'toString', toResult)
count(Buffer.prototype, 'copy', toResult)
for (const iterator of iterators) count(iterator, 'next', () => 1)

/** The blocks of our code that run, and what the engine goes through for them. */
export async function workOf(work: () => unknown): Promise<number> {
  gone = 0
  const operations = await operationsOf(async () => {
    counts = true
    try {
      await work()
    } finally {
      counts = false
    }
  })
  return operations + gone
}

/** What is measured again and again counts the least: V8 counts a little more while it compiles, and servers also do something by themselves. */
export async function leastOf(measure: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let count = 0; count < measures; count++) least = Math.min(least, await measure())
  return least
}

/**
 * Holds that work grows at most with its input: of eight times the input it is at most what three doublings may give.
 * @param workFor the work that input of this size needs
 */
export async function assertLinear(
  size: number,
  workFor: (size: number) => Promise<number>,
  ignored = workIgnored,
): Promise<void> {
  const [once, most] = [size, size * doublings.at(-1)!]
  const allowed = (await workFor(once)) * ratioMax ** (doublings.length - 1) + ignored
  if ((await workFor(most)) <= allowed) return
  const found: number[] = []
  for (const times of doublings) found.push(await leastOf(() => workFor(size * times)))
  const told = found.map((work, at) => `${work} for ${size * doublings[at]!}`).join(', ')
  assert.ok(
    found.at(-1)! <= found[0]! * ratioMax ** (doublings.length - 1) + ignored,
    `work grows faster than its input: ${told}`,
  )
}
