import { type IdentifierQuery, isConditional, readIdentifierQuery } from '../../../fhir/bundle/identifier-query.ts'
import { referencesIn } from '../../../fhir/bundle/reference-text.ts'
import { type Key, keyOf } from '../../current.ts'
import { type Draft, draftOf } from '../../draft.ts'
import type { BatchWriter, Place, Step } from '../batch-writer.ts'
import type { LoadTally } from '../load-tally.ts'
import { KeyFilter } from './key-filter.ts'
import type { ReferenceResolver, ResolvedText } from './reference-resolver.ts'
import { Spool, type Spooled } from './spool.ts'

/** A change that waits for the end of the load. `text` of a put is what `draftOf` takes. */
export type HeldChange = (HeldPut | HeldDelete) & { readonly at: Place }

interface HeldPut {
  readonly kind: 'put'
  readonly draft: Draft
  readonly text: Buffer
  readonly onlyNew?: true
}

interface HeldDelete {
  readonly kind: 'delete'
  readonly key: Key
}

/** What the spool remembers of a change besides its text. */
type Head = (PutHead | { readonly gone: Key }) & { readonly at: Place }

interface PutHead {
  readonly id: string
  readonly identifiers: readonly string[]
  readonly onlyNew?: true
}

type Item = Spooled<Head>

/** Of the keys and identifiers that are held, and of the identifiers that are asked for. */
const filterBytes = 4 * 1024 * 1024

/** Texts that are resolved together: one question to the database. */
const groupMax = 500
const groupBytesMax = 4 * 1024 * 1024

/**
 * Records with conditional references, which are resolved when everything else of the load is in the store: then it does not matter
 * in which order things came. They wait in a temporary file. Changes that come behind one of the same record wait behind it.
 */
export class HeldRecords {
  readonly #writer: BatchWriter
  readonly #resolver: ReferenceResolver
  readonly #tally: LoadTally
  readonly #bases: readonly string[]
  readonly #keys = new KeyFilter(filterBytes)
  readonly #identifiers = new KeyFilter(filterBytes)
  readonly #asked = new KeyFilter(filterBytes)
  #spool: Spool<Head> | undefined
  /** Up to here the records are in the store, as they came. */
  #released = 0

  /** @param bases the tenant's own */
  constructor(writer: BatchWriter, resolver: ReferenceResolver, tally: LoadTally, bases: readonly string[]) {
    this.#bases = bases
    this.#writer = writer
    this.#resolver = resolver
    this.#tally = tally
  }

  /** Whether a change of the record has to wait too. */
  mayHold(key: string): boolean {
    return this.#keys.mayHave(key)
  }

  /** Whether a record that is held may be the one that is asked for. */
  mayAnswer(query: IdentifierQuery): boolean {
    return this.#identifiers.mayHave(identifierText(query.type, query))
  }

  async hold(change: HeldChange): Promise<void> {
    this.#spool ??= await Spool.open<Head>()
    if (change.kind === 'delete') {
      this.#keys.add(keyOf(change.key))
      return this.#spool.append({ gone: change.key, at: change.at }, Buffer.alloc(0))
    }
    const { draft, text, onlyNew, at } = change
    this.#keys.add(draft.key)
    const identifiers = draft.identifiers.map((identifier) => identifierText(draft.type, identifier))
    for (const identifier of identifiers) this.#identifiers.add(identifier)
    if (draft.conditional) this.#noteQueries(text.toString())
    await this.#spool.append({ id: draft.id, identifiers, at, ...(onlyNew && { onlyNew }) }, text)
  }

  #noteQueries(text: string): void {
    for (const name of referencesIn(text)) {
      const query = isConditional(name) ? readIdentifierQuery(name) : undefined
      if (query && !('unusable' in query)) this.#asked.add(identifierText(query.type, query))
    }
  }

  /** Writes what is held as it is, for a question that only the store can answer. It is resolved at the end all the same. */
  async release(): Promise<void> {
    if (!this.#spool || this.#released === this.#spool.end) return
    const end = this.#spool.end
    for await (const item of this.#spool.read(this.#released, end)) await this.#write(item, item.text.toString(), false)
    this.#released = end
    await this.#writer.settle()
  }

  /** Resolves everything that is held, and writes it. */
  async finish(): Promise<void> {
    if (!this.#spool) return
    // What others ask for has to be in the store before anything is resolved, or the order would matter.
    for await (const item of this.#spool.read(this.#released)) {
      if (this.#isAsked(item)) await this.#write(item, item.text.toString(), false)
    }
    await this.#writer.settle()
    for await (const group of groupsOf(this.#spool.read(0))) {
      const texts = await this.#resolver.resolve(group.map(({ text }) => text.toString()))
      for (const [index, item] of group.entries()) await this.#finishOne(item, texts[index]!)
      this.#resolver.forget()
    }
    await this.#writer.settle()
  }

  async close(): Promise<void> {
    await this.#spool?.close()
  }

  async #finishOne(item: Item, { text, resolved, open }: ResolvedText): Promise<void> {
    const again = item.at < this.#released || this.#isAsked(item)
    const record = await this.#write(item, text, again)
    this.#tally.resolved += resolved
    for (const reference of open) this.#tally.open.add({ record, ...reference })
  }

  #isAsked({ head }: Item): boolean {
    return 'identifiers' in head && head.identifiers.some((identifier) => this.#asked.mayHave(identifier))
  }

  /** @param again whether the record was written, and counted, before */
  async #write({ head }: Item, text: string, again: boolean): Promise<string> {
    const uncounted = again ? ({ uncounted: true } as const) : {}
    if ('gone' in head) {
      await this.#writer.add([{ kind: 'delete', key: head.gone, at: head.at, ...uncounted }])
      return keyOf(head.gone)
    }
    const draft = draftOf(text, this.#bases, head.id)
    if ('fault' in draft) throw new Error(`a record that was held back cannot be read again: ${draft.fault}`)
    const onlyNew = head.onlyNew && !again ? ({ onlyNew: true } as const) : {}
    const step: Step = { kind: 'put', draft, at: head.at, ...onlyNew, ...uncounted }
    await this.#writer.add([step])
    return draft.key
  }
}

async function* groupsOf(items: AsyncIterable<Item>): AsyncGenerator<Item[]> {
  let group: Item[] = []
  let bytes = 0
  for await (const item of items) {
    group.push(item)
    bytes += item.text.length
    if (group.length < groupMax && bytes < groupBytesMax) continue
    yield group
    group = []
    bytes = 0
  }
  if (group.length > 0) yield group
}

const identifierText = (type: string, { system, value }: { readonly system: string; readonly value: string }): string =>
  `${type} ${system}|${value}`
