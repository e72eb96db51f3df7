/**
 * Where a resource has its first modifier extension, as a FHIRPath location; undefined without any. One can change what everything beside
 * it means (R4 extensibility), so whoever does not know it must not act on the rest. Contained resources are left out: they are others.
 */
export function modifierExtensionIn(value: unknown, at: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const isList = Array.isArray(value)
  for (const [name, member] of Object.entries(value)) {
    if (name === 'contained') continue
    const place = isList ? `${at}[${name}]` : `${at}.${name}`
    if (name === 'modifierExtension' && !isEmpty(member)) return place
    const found = modifierExtensionIn(member, place)
    if (found !== undefined) return found
  }
  return undefined
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0
