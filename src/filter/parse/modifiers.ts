import { isTypeName } from '../../fhir/reference.ts'
import type { Datatype, SearchParameter, SimpleParameter } from '../search-parameter.ts'

const anyType = '[type]'
const codedTexts: readonly Datatype[] = ['CodeableConcept', 'Coding', 'Identifier']

/** The modifiers that a parameter supports, as a client writes them; `[type]` stands for any resource type. */
export function modifiersOf(parameter: SearchParameter): string[] {
  return parameter.type === 'composite' ? [] : [...ownModifiers(parameter), 'missing']
}

function ownModifiers({ type, paths, targets = [anyType] }: SimpleParameter): readonly string[] {
  const has = (datatypes: readonly Datatype[]) => paths.some(({ datatype }) => datatypes.includes(datatype))
  switch (type) {
    case 'token':
      return ['not', ...(has(codedTexts) ? ['text'] : []), ...(has(['Identifier']) ? ['of-type'] : [])]
    case 'string':
      return ['exact', 'contains']
    case 'uri':
      return ['above', 'below']
    case 'reference':
      return has(['Reference']) ? ['identifier', ...targets] : []
    case 'date':
    case 'quantity':
      return []
  }
}

export function supportsModifier(parameter: SearchParameter, modifier: string): boolean {
  const supported = modifiersOf(parameter)
  return (modifier !== anyType && supported.includes(modifier)) || (supported.includes(anyType) && isTypeName(modifier))
}

const terminology = new Set(['in', 'not-in', 'above', 'below'])

/** Why a modifier that R4 knows is not supported; undefined when there is nothing to add. */
export function modifierReason({ type }: SearchParameter, modifier: string): string | undefined {
  if (type === 'token' && terminology.has(modifier)) return 'it needs a terminology service'
  if (type === 'reference' && (modifier === 'above' || modifier === 'below')) return 'hierarchies are not followed'
  return undefined
}
