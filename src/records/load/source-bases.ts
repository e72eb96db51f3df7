import { renameReferences } from '../../fhir/bundle/reference-text.ts'
import { localReference } from '../../fhir/reference.ts'
import { keyOf } from '../current.ts'

/** FHIR bases below which absolute references mean records of the tenant. */
export interface Bases {
  /** The tenant's own: who reads a record later knows them too. */
  readonly own: readonly string[]
  /** Those of the source: only the load knows them, so what it reads under them is written as `Type/id`. */
  readonly source: readonly string[]
}

/** `Type/id` that an absolute reference under a base of its source means; undefined for all others, which stay as they are. */
export function keyAtSource(reference: string, { own, source }: Bases): string | undefined {
  if (localReference(reference, own)) return undefined
  for (const base of source) {
    const said = reference.startsWith(`${base}/`) ? localReference(reference.slice(base.length + 1), []) : undefined
    if (said) return keyOf(said)
  }
  return undefined
}

/** The text of a resource in which references under the bases of its source are `Type/id`. */
export const textAtHome = (text: string, bases: Bases): string =>
  renameReferences(text, (name, place) => (place === 'reference' ? keyAtSource(name, bases) : undefined))

/** Whether a line may hold a reference under a base of its source: an escape may hide one. Every line is asked. */
export const mayNameSource = (line: Buffer, { source }: Bases): boolean =>
  source.length > 0 && [...source, ...urlEscapes].some((text) => line.includes(text))

/** How JSON can write a character of a URL in another way. */
const urlEscapes = ['\\/', '\\u']
