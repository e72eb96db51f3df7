/** A reference to a record of the same tenant. */
export interface LocalReference {
  readonly type: string
  readonly id: string
}

const idPattern = /^[A-Za-z0-9\-.]{1,64}$/
const typePattern = /^[A-Z][A-Za-z]{1,63}$/
const relativePattern = /^([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/

/** R4 `id`: letters, digits, hyphen and dot, 1 to 64 of them. */
export const isId = (text: unknown): text is string => typeof text === 'string' && idPattern.test(text)

/** A name that can be a resource type. Whether R4 defines it is not asked: unknown types are stored too. */
export const isTypeName = (text: unknown): text is string => typeof text === 'string' && typePattern.test(text)

/**
 * Reads a literal reference as one to a record of this tenant: relative, or absolute under one of the tenant's bases;
 * a version suffix is ignored. Contained (`#x`), `urn:`, conditional and foreign references give undefined.
 */
export function localReference(reference: string, bases: readonly string[]): LocalReference | undefined {
  let relative = reference
  if (reference.includes(':')) {
    const base = bases.find((candidate) => reference.startsWith(`${candidate}/`))
    if (base === undefined) return undefined
    relative = reference.slice(base.length + 1)
  }
  const match = relativePattern.exec(relative)
  return match ? { type: match[1]!, id: match[2]! } : undefined
}
