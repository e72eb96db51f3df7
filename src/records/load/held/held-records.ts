import { type IdentifierQuery, isConditional, readIdentifierQuery } from '../../../fhir/bundle/identifier-query.ts'
import { referencesIn } from '../../../fhir/bundle/reference-text.ts'
import { type Key, keyOf } from '../../current.ts'
import { type Draft, draftOf } from '../../draft.ts'
import type { BatchWriter, Mend, Place, Step } from '../batch-writer.ts'
import type { LoadTally } from '../load-tally.ts'
import { KeyFilter } from './key-filter.ts'
import type { ReferenceResolver, ResolvedText } from './reference-resolver.ts'
import { Spool, type Spooled } from './spool.ts'
import type { RecordAsItCame } from './standing-records.ts'

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
  readonly type: string
  readonly id: string
  readonly identifiers: readonly string[]
  readonly onlyNew?: true
}

type Item = Spooled<Head>

interface Resolved {
  readonly item: Item
  readonly resolved: ResolvedText
}

/** Of the keys and identifiers that are held, and of the identifiers that are asked for. */
const filterBytes = 4 * 1024 * 1024

/** Standing records that are remembered; more of them are written as they came, and then resolved. */
const standingMax = 1_000_000

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
  readonly #standingOf: (records: readonly RecordAsItCame[]) => Promise<ReadonlySet<string>>
  readonly #keys = new KeyFilter(filterBytes)
  readonly #identifiers = new KeyFilter(filterBytes)
  readonly #asked = new KeyFilter(filterBytes)
  /** Keys of records that are in the store as they came before anything is resolved, with all their versions, in order. */
  readonly #early = new KeyFilter(filterBytes)
  /** Keys of which several changes are held. */
  readonly #several = new KeyFilter(filterBytes)
  /** Records that are asked for, and stand in the store as what they became before: they are not written as they came. */
  readonly #standing = new Set<string>()
  /** Records that were not what the load had written when they were to be mended, with their places: faults, if nothing follows. */
  readonly #leftAlone = new Map<string, Place>()
  #spool: Spool<Head> | undefined
  /** Up to here the records are in the store, as they came. */
  #released = 0

  /**
   * @param bases the tenant's own
   * @param standing see `standingRecords`
   */
  constructor(
    writer: BatchWriter,
    resolver: ReferenceResolver,
    tally: LoadTally,
    bases: readonly string[],
    standing: (records: readonly RecordAsItCame[]) => Promise<ReadonlySet<string>>,
  ) {
    this.#standingOf = standing
    this.#bases = bases
    this.#writer = writer
    this.#resolver = resolver
    this.#tally = tally
  }

  /** Whether nothing is held: then nothing has to wait. */
  get isEmpty(): boolean {
    return this.#keys.isEmpty
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
    const key = change.kind === 'delete' ? keyOf(change.key) : change.draft.key
    if (this.#keys.mayHave(key)) this.#several.add(key)
    this.#keys.add(key)
    if (change.kind === 'delete') {
      return this.#spool.append({ gone: change.key, at: change.at }, Buffer.alloc(0))
    }
    const { draft, text, onlyNew, at } = change
    const identifiers = draft.identifiers.map((identifier) => identifierText(draft.type, identifier))
    for (const identifier of identifiers) this.#identifiers.add(identifier)
    if (draft.conditional) this.#noteQueries(text.toString())
    await this.#spool.append({ type: draft.type, id: draft.id, identifiers, at, ...(onlyNew && { onlyNew }) }, text)
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
    for await (const group of groupsOf(this.#spool.read(this.#released, end))) {
      for (const { head } of group) this.#early.add(keyOfHead(head))
      await this.#writeEarly(group)
    }
    this.#released = end
    await this.#writer.settle()
  }

  /** Resolves everything that is held, and writes it. */
  async finish(): Promise<void> {
    if (!this.#spool) return
    // What others ask for has to be in the store before anything is resolved, or the order would matter: whole records, for a later
    // version may have lost what an earlier one is asked for.
    for await (const { head } of this.#spool.read(0)) if (this.#isAsked(head)) this.#early.add(keyOfHead(head))
    for await (const group of groupsOf(this.#spool.read(this.#released))) await this.#writeEarly(group)
    await this.#writer.settle()
    for await (const group of groupsOf(this.#spool.read(0))) await this.#finishGroup(group)
    await this.#writer.settle()
    for (const [key, at] of this.#leftAlone) {
      if (!this.#writer.wasNotWritten(key)) this.#tally.fault({ ...at, reason: overtakenReason }, 0)
    }
  }

  /** Writes those of a group that must be there early, as they came, unless they stand there in a better form. */
  async #writeEarly(group: readonly Item[]): Promise<void> {
    const alone = group.flatMap(({ head, text }) =>
      'gone' in head || !this.#early.mayHave(keyOfHead(head)) || this.#several.mayHave(keyOfHead(head))
        ? []
        : [{ type: head.type, id: head.id, text: text.toString() }],
    )
    const standing = await this.#standingOf(alone)
    for (const key of standing) if (this.#standing.size < standingMax) this.#standing.add(key)
    for (const item of group) if (this.#isEarly(item)) await this.#write(item, item.text.toString())
  }

  async close(): Promise<void> {
    await this.#spool?.close()
  }

  async #finishGroup(group: readonly Item[]): Promise<void> {
    const texts = await this.#resolver.resolve(group.map(({ text }) => text.toString()))
    const early = new Map<string, Resolved[]>()
    for (const [index, item] of group.entries()) {
      const found = { item, resolved: texts[index]! }
      const key = keyOfHead(item.head)
      if (this.#isEarly(item)) early.set(key, [...(early.get(key) ?? []), found])
      else {
        await this.#write(item, found.resolved.text)
        this.#count(found)
      }
    }
    while (early.size > 0) await this.#mend(early)
    this.#resolver.forget()
  }

  /**
   * Mends the newest version of each record that is in the store already: the one before it only if that is not what the store has, since
   * it was refused, or older by the times of its source.
   * @param early versions by their records; those that were tried are taken out
   */
  async #mend(early: Map<string, Resolved[]>): Promise<void> {
    const mends: Mend[] = []
    const tried = new Map<string, Resolved>()
    for (const [key, versions] of early) {
      const newest = versions.pop()
      const head = newest?.item.head
      if (head && 'gone' in head) this.#leftAlone.delete(key)
      if (!newest || !head || 'gone' in head) {
        early.delete(key)
        continue
      }
      tried.set(key, newest)
      const was = this.#draftOf(head, newest.item.text.toString()).digest
      mends.push({ draft: this.#draftOf(head, newest.resolved.text), was })
    }
    const mended = await this.#writer.mend(mends)
    for (const [key, version] of tried) {
      if (mended.has(key)) {
        early.delete(key)
        this.#leftAlone.delete(key)
        this.#count(version)
      } else if (!this.#leftAlone.has(key)) this.#leftAlone.set(key, version.item.head.at)
    }
  }

  #count({ item: { head }, resolved: { resolved, open } }: Resolved): void {
    this.#tally.resolved += resolved
    for (const reference of open) this.#tally.open.add({ record: keyOfHead(head), ...reference })
  }

  #isEarly({ head }: Item): boolean {
    const key = keyOfHead(head)
    return this.#early.mayHave(key) && !this.#standing.has(key)
  }

  #isAsked(head: Head): boolean {
    return 'identifiers' in head && head.identifiers.some((identifier) => this.#asked.mayHave(identifier))
  }

  async #write(item: Item, text: string): Promise<void> {
    const { head } = item
    const mended = this.#isEarly(item) ? ({ mended: true } as const) : {}
    const onlyNew = 'onlyNew' in head ? ({ onlyNew: true } as const) : {}
    const step: Step =
      'gone' in head
        ? { kind: 'delete', key: head.gone, at: head.at, ...mended }
        : { kind: 'put', draft: this.#draftOf(head, text), at: head.at, ...onlyNew, ...mended }
    await this.#writer.add([step])
  }

  #draftOf({ id }: PutHead, text: string): Draft {
    const draft = draftOf(text, this.#bases, id)
    if ('fault' in draft) throw new Error(`a record that was held back cannot be read again: ${draft.fault}`)
    return draft
  }
}

const overtakenReason =
  'another writer has changed the record while the load went on; its references by identifier stay as they are'

const keyOfHead = (head: Head): string => keyOf('gone' in head ? head.gone : head)

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
