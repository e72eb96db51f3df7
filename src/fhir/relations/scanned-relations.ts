import { isConditional } from '../bundle/identifier-query.ts'
import { notedReference } from '../open-reference.ts'
import { type Belonging, belonging, nobody, subjectElementOf } from '../ownership.ts'
import { localReference } from '../reference.ts'
import type { ResourceScan, Span } from '../resource-scan.ts'
import { isCompartmentType, isOwnedType, isReferredType, isTargetType, patientElements } from '../resource-types.ts'
import { type Relations, relationsBy } from './relations.ts'
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
  return relationsBy(isProvenance ? undefined : belongingIn(bytes, scan, type, id, bases), {
    targets: isProvenance ? targetsIn(bytes, scan, bases) : [],
    ...notedIn(bytes, scan.references, bases),
  })
}

const simple = new SimpleReference()

const textOf = (bytes: Buffer, { start, end }: Span): string => bytes.toString('utf8', start, end)

function belongingIn(bytes: Buffer, scan: ResourceScan, type: string, id: string, bases: readonly string[]): Belonging {
  if (type === 'Patient') return ofOwners([id])
  if (!isOwnedType(type)) return ofOwners(nobody)
  const owner = isCompartmentType(type) ? compartmentIn(bytes, scan, type, bases) : subjectIn(bytes, scan, type, bases)
  // Of what names no patient it is asked who stands there instead, be it without a reference.
  return owner === undefined ? belonging(JSON.parse(bytes.toString()), type, id, bases) : ofOwners([owner])
}

const ofOwners = (owners: readonly string[]): Belonging => ({ owners, isStrangers: false })

function subjectIn(bytes: Buffer, scan: ResourceScan, type: string, bases: readonly string[]): string | undefined {
  const element = subjectElementOf(type)
  return element && patientIn(bytes, scan[element], bases)
}

/** Whose a record of the compartment is where it names one patient only, by an element that is looked at; else undefined. */
function compartmentIn(bytes: Buffer, scan: ResourceScan, type: string, bases: readonly string[]): string | undefined {
  let only: string | undefined
  for (const span of scan.references) {
    const patient = patientIn(bytes, span, bases)
    if (patient === undefined || patient === only) continue
    if (only !== undefined) return undefined
    only = patient
  }
  if (only === undefined) return undefined
  const paths = patientElements(type)
  const isTold = scannedElements.some(
    (element) => paths.includes(element) && patientIn(bytes, scan[element], bases) === only,
  )
  return isTold ? only : undefined
}

const scannedElements = ['subject', 'patient'] as const

/** The id of the patient to whom a reference leads. */
function patientIn(bytes: Buffer, span: Span | undefined, bases: readonly string[]): string | undefined {
  if (!span) return undefined
  if (simple.enter(bytes, span)) return simple.type === 'Patient' ? simple.id : undefined
  const target = localReference(textOf(bytes, span), bases)
  return target?.type === 'Patient' ? target.id : undefined
}

function targetsIn(bytes: Buffer, { targets }: ResourceScan, bases: readonly string[]): string[] {
  const found = new Set<string>()
  for (const span of targets) {
    if (simple.enter(bytes, span)) {
      if (simple.type !== undefined && isTargetType(simple.type)) found.add(simple.key)
      continue
    }
    const target = localReference(textOf(bytes, span), bases)
    if (target && isTargetType(target.type)) found.add(`${target.type}/${target.id}`)
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
    // Nothing is noted of types of which each record is a patient's.
    if (isSimple && simple.type !== undefined) {
      if (isReferredType(simple.type)) refs.add(simple.key)
      continue
    }
    const text = textOf(bytes, span)
    conditional ||= text.includes('?') && isConditional(text)
    const noted = notedReference(text, bases)
    if (noted !== undefined) refs.add(noted)
  }
  return { refs: [...refs], conditional }
}
