import { isObject } from '../../fhir/json/json-object.ts'
import { isId, localReference } from '../../fhir/reference.ts'
import { type Fault, isFault } from '../fault.ts'
import type { CanonicalValue, ReferenceIdentifierValue, ReferenceValue } from '../query.ts'
import { unescaped } from '../query-text.ts'
import type { SimpleParameter } from '../search-parameter.ts'
import type { Test } from './element.ts'
import { readSystemAndCode, tokenTest } from './token.ts'

const forms = 'an id, Type/id or an absolute URL'

/** Reads a raw, still escaped value of a reference parameter; a modifier other than `identifier` is a type. */
export function readReference(
  raw: string,
  { paths }: SimpleParameter,
  modifier: string | undefined,
): ReferenceValue | ReferenceIdentifierValue | CanonicalValue | Fault {
  if (modifier === 'identifier') {
    const identifier = readSystemAndCode(raw)
    return isFault(identifier) ? identifier : { kind: 'reference-identifier', identifier }
  }
  const reference = unescaped(raw)
  if (!paths.some(({ datatype }) => datatype === 'Reference')) return readCanonical(reference)
  const relative = isId(reference) || localReference(reference, []) !== undefined
  if (!relative && !isAbsolute(reference)) return { fault: 'is not a reference', allowed: forms }
  if (modifier === undefined) return { kind: 'reference', reference }
  const type = typeOf(reference)
  if (isAbsolute(reference) || (type !== undefined && type !== modifier)) {
    return { fault: `does not fit :${modifier}`, allowed: `an id, or ${modifier}/id` }
  }
  return { kind: 'reference', reference, type: modifier }
}

const isAbsolute = (reference: string): boolean => /^[a-z][a-z0-9+.-]*:\S+$/i.test(reference)

function readCanonical(text: string): CanonicalValue | Fault {
  if (!isAbsolute(text))
    return { fault: 'is not a canonical URL', allowed: 'an absolute URL, with |version or without' }
  return { kind: 'canonical', ...cutCanonical(text) }
}

function cutCanonical(text: string): { url: string; version?: string } {
  const [url = '', version] = text.split(/\|(.*)/s)
  return version ? { url, version } : { url }
}

const versioned = /^(.*)\/_history\/([A-Za-z0-9\-.]{1,64})$/s
const typedEnd = /(?:^|\/)([A-Z][A-Za-z]{1,63})\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/

/** The resource type that a literal reference names, wherever its server is; undefined for a urn and the like. */
const typeOf = (reference: string): string | undefined => typedEnd.exec(reference)?.[1]

/** `where(resolve() is T)`, by the text of the reference; a logical reference tells its type itself. */
export function refersToTest(type: string): Test {
  return (element) => {
    if (!isObject(element)) return false
    return typeof element.reference === 'string' ? typeOf(element.reference) === type : element.type === type
  }
}

/** Tests a Reference. A version counts only when it is asked for; `bases` are the URLs under which this tenant's records are known. */
export function referenceTest(value: ReferenceValue, bases: readonly string[]): Test {
  const holds = isId(value.reference) ? idTest(value.reference, value.type, bases) : literalTest(value.reference, bases)
  return (element) => isObject(element) && typeof element.reference === 'string' && holds(element.reference)
}

function idTest(id: string, type: string | undefined, bases: readonly string[]): (found: string) => boolean {
  return (found) => {
    if (!found.includes(id)) return false
    const target = localReference(found, bases)
    return target?.id === id && (type === undefined || target.type === type)
  }
}

function literalTest(wanted: string, bases: readonly string[]): (found: string) => boolean {
  const [, , version] = versioned.exec(wanted) ?? []
  const identity = identityOf(wanted, bases)
  return (found) =>
    identityOf(found, bases) === identity && (version === undefined || versioned.exec(found)?.[2] === version)
}

/** The reference without version, in one form for the records of this tenant. */
function identityOf(reference: string, bases: readonly string[]): string {
  const local = localReference(reference, bases)
  return local ? `${local.type}/${local.id}` : reference.replace(versioned, '$1')
}

/** Tests the logical identifier of a Reference. */
export function referenceIdentifierTest({ identifier }: ReferenceIdentifierValue): Test {
  const test = tokenTest([identifier], { datatype: 'Identifier' })
  return (element) => isObject(element) && test(element.identifier)
}

/** Tests a canonical: the version counts only when it is asked for. */
export function canonicalTest({ url, version }: CanonicalValue): Test {
  return (element) => {
    if (typeof element !== 'string') return false
    const found = cutCanonical(element)
    return found.url === url && (version === undefined || found.version === version)
  }
}
