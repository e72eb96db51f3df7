import { isConditional } from '../bundle/identifier-query.ts'
import { notedReference } from '../open-reference.ts'
import { ownedTypes, subjectElementOf } from '../ownership.ts'
import { localReference } from '../reference.ts'
import type { ResourceScan, Span } from '../resource-scan.ts'
import { isReferenceType } from '../resource-types.ts'
import type { Relations } from './relations.ts'
import { SimpleReference } from './simple-reference.ts'

/** The relations of a scanned resource: those of the parsed one. */
export function scannedRelations(
  bytes: Buffer,
  scan: ResourceScan,
  type: string,
  id: string,
  bases: readonly string[],
): Relations {
  const isProvenance = type === 'Provenance'
  const owner = type === 'Patient' ? id : ownerIn(bytes, scan, type, bases)
  const noted = notedIn(bytes, scan.references, bases)
  return {
    owner: isProvenance ? undefined : owner,
    targets: isProvenance ? targetsIn(bytes, scan, bases) : [],
    ...noted,
  }
}

const simple = new SimpleReference()

const textOf = (bytes: Buffer, { start, end }: Span): string => bytes.toString('utf8', start, end)

function ownerIn(bytes: Buffer, scan: ResourceScan, type: string, bases: readonly string[]): string {
  const element = subjectElementOf(type)
  const span = element && scan[element]
  if (!span) return ''
  if (simple.enter(bytes, span)) return simple.type === 'Patient' ? simple.id : ''
  const target = localReference(textOf(bytes, span), bases)
  return target?.type === 'Patient' ? target.id : ''
}

function targetsIn(bytes: Buffer, { targets }: ResourceScan, bases: readonly string[]): string[] {
  const found = new Set<string>()
  for (const span of targets) {
    if (simple.enter(bytes, span)) {
      if (simple.type !== undefined && ownedTypes.has(simple.type)) found.add(simple.key)
      continue
    }
    const target = localReference(textOf(bytes, span), bases)
    if (target && ownedTypes.has(target.type)) found.add(`${target.type}/${target.id}`)
  }
  return [...found]
}

function notedIn(
  bytes: Buffer,
  references: readonly Span[],
  bases: readonly string[],
): { readonly refs: readonly string[]; readonly conditional: boolean } {
  const refs = new Set<string>()
  let conditional = false
  for (const span of references) {
    const isSimple = simple.enter(bytes, span)
    // Nothing is noted of records that are exported in their own right.
    if (isSimple && simple.type !== undefined) {
      if (isReferenceType(simple.type)) refs.add(simple.key)
      continue
    }
    const text = textOf(bytes, span)
    conditional ||= text.includes('?') && isConditional(text)
    const noted = notedReference(text, bases)
    if (noted !== undefined) refs.add(noted)
  }
  return { refs: [...refs], conditional }
}
