import type { Pool } from 'pg'
import { type IdentifierQuery, isConditional, readIdentifierQuery } from '../../../fhir/bundle/identifier-query.ts'
import { referencesIn, renameReferences } from '../../../fhir/bundle/reference-text.ts'
import { idsByIdentifier } from '../../identifiers.ts'
import type { OpenReference } from '../load-tally.ts'

/** Answers that are kept: the practitioners of a source stand in very many of its records. */
const answersMax = 20_000

/** What a conditional reference means: a record, or why it means none. */
type Answer = { readonly key: string } | { readonly because: OpenReference['because'] }

/** A text with its conditional references resolved, and those that could not be. */
export interface ResolvedText {
  readonly text: string
  readonly resolved: number
  readonly open: readonly Omit<OpenReference, 'record'>[]
}

/** Resolves conditional references against the store as it is. */
export class ReferenceResolver {
  readonly #pool: Pool
  readonly #tenant: string
  #answers = new Map<string, Answer>()

  constructor(pool: Pool, tenant: string) {
    this.#pool = pool
    this.#tenant = tenant
  }

  /** Looks up what the texts name, all at once. */
  async resolve(texts: readonly string[]): Promise<ResolvedText[]> {
    const names = new Set(texts.flatMap(referencesIn).filter(isConditional))
    await this.#ask(names.difference(this.#answers))
    return texts.map((text) => this.#resolved(text))
  }

  async #ask(names: ReadonlySet<string>): Promise<void> {
    if (names.size === 0) return
    const queries = [...names].map((name) => ({ name, query: readIdentifierQuery(name) }))
    const usable = queries.flatMap(({ name, query }) => ('unusable' in query ? [] : [{ name, query }]))
    const found = await idsByIdentifier(
      this.#pool,
      this.#tenant,
      usable.map(({ query }) => query),
    )
    for (const { name, query } of queries) {
      if ('unusable' in query) this.#answers.set(name, { because: 'it cannot be looked up' })
    }
    for (const [index, { name, query }] of usable.entries()) this.#answers.set(name, answerOf(query, found[index]!))
  }

  #resolved(text: string): ResolvedText {
    let resolved = 0
    const open: Omit<OpenReference, 'record'>[] = []
    const renamed = renameReferences(text, (name, place) => {
      const answer = place === 'reference' ? this.#answers.get(name) : undefined
      if (answer === undefined) return undefined
      if ('key' in answer) {
        resolved++
        return answer.key
      }
      open.push({ names: name.slice(0, name.indexOf('?')), because: answer.because })
      return undefined
    })
    return { text: renamed, resolved, open }
  }

  /** To be called between texts, so that the memory of answers is bounded. */
  forget(): void {
    if (this.#answers.size > answersMax) this.#answers = new Map()
  }
}

const answerOf = ({ type }: IdentifierQuery, [id, ...others]: readonly string[]): Answer => {
  if (id === undefined) return { because: 'nothing matches' }
  return others.length > 0 ? { because: 'several match' } : { key: `${type}/${id}` }
}
