import { isAbsolute } from './bundle/bundle-identities.ts'
import { isConditional } from './bundle/identifier-query.ts'
import { isTypeName, localReference } from './reference.ts'
import { isReferredType, isResourceType } from './resource-types.ts'

/**
 * Ways in which a reference is open: it leads to no record of the tenant that an export could bring along. A mark stands before the
 * type in lists of references, `?/Practitioner`, with `-` in its place where none can be told. All marks are below the letters.
 */
export const openMarks = {
  /** `Practitioner?identifier=…`, never resolved. */
  conditional: '?',
  /** An absolute URL that is not under the tenant's base. */
  elsewhere: '!',
  /** `urn:uuid:…` and the like: an entry of a Bundle that was not loaded with it. */
  urn: ':',
  /** A record of a type that R4 does not have. */
  unexported: '+',
  /** Not a reference: the record itself stands in the compartment of more patients than it may belong to. */
  crowded: '#',
  /** Not a reference: the record itself has relative URLs of the type's records, which an export may have to write otherwise. */
  relative: '@',
  /** Not a reference: the record itself is about somebody who is no patient that is known here, or whose kind cannot be told. */
  stranger: '=',
  /** No form of a reference. */
  unreadable: '*',
} as const

export type OpenMark = (typeof openMarks)[keyof typeof openMarks]

const firstLetter = 'A'.charCodeAt(0)

/** Whether an entry of a list of references is a mark with a type, not a record. */
export const isOpen = (entry: string): boolean => entry.charCodeAt(0) < firstLetter

/** In place of a type that cannot be told. */
const unknownType = '-'

const typedEnd = /\/([A-Z][A-Za-z]{1,63})\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/

/**
 * What is noted of a reference when a record is written: `Type/id` of a record that may come along with what refers to it, such as an
 * Organization, or the mark of an open one. Nothing of references to types of which each record is a patient's, and of contained records.
 */
export function notedReference(reference: string, bases: readonly string[]): string | undefined {
  const target = localReference(reference, bases)
  if (target === undefined) return openEntry(reference, bases)
  if (isReferredType(target.type)) return `${target.type}/${target.id}`
  return isResourceType(target.type) ? undefined : `${openMarks.unexported}/${target.type}`
}

function openEntry(reference: string, bases: readonly string[]): string | undefined {
  if (reference.startsWith('#')) return undefined
  const base = bases.find((candidate) => reference.startsWith(`${candidate}/`))
  const relative = base === undefined ? reference : reference.slice(base.length + 1)
  if (isConditional(relative)) return `${openMarks.conditional}/${relative.slice(0, relative.indexOf('?'))}`
  if (/^urn:/i.test(relative)) return `${openMarks.urn}/${unknownType}`
  if (!isAbsolute(relative)) return `${openMarks.unreadable}/${unknownType}`
  return `${openMarks.elsewhere}/${typedEnd.exec(relative)?.[1] ?? unknownType}`
}

/** Whether a record is about patients without being one's: about too many, or about one who is not known here. */
export const isAboutSomebody = (refs: string): boolean => refs.split(' ').some((entry) => aboutSomebody.has(entry))

/** What is noted of such a record. */
export const somebody = { crowd: `${openMarks.crowded}/Patient`, stranger: `${openMarks.stranger}/Patient` } as const

const aboutSomebody: ReadonlySet<string> = new Set(Object.values(somebody))

/** The mark and the type of an open entry; without the type where none can be told. */
export function readOpen(entry: string): { readonly mark: OpenMark; readonly type: string | undefined } {
  const type = entry.slice(2)
  return { mark: entry[0] as OpenMark, type: isTypeName(type) ? type : undefined }
}
