import type { Datatype, ElementPath, Step } from '../../src/filter/search-parameter.ts'
import type { ElementDefinition } from './definitions.ts'
import type { Part } from './expression.ts'
import { NotSearchable } from './not-searchable.ts'

/** Where a walk stands: the steps so far, the definition of the element reached, and its datatype. */
interface Place {
  readonly steps: readonly Step[]
  /** The path of the element's definition, or undefined at the resource itself. */
  readonly element: ElementDefinition | undefined
  readonly datatype: string
  readonly refersTo?: string
}

/** The datatypes a search type can look at; a choice element offers only those (search-params §5). */
const searchable: Readonly<Record<string, readonly Datatype[]>> = {
  token: ['CodeableConcept', 'Coding', 'ContactPoint', 'Identifier', 'boolean', 'code', 'id', 'uri'],
  date: ['Period', 'Timing', 'date', 'dateTime', 'instant'],
  string: ['Address', 'HumanName', 'string'],
  reference: ['Reference', 'canonical', 'uri'],
  quantity: ['Quantity', 'Range', 'SampledData'],
  uri: ['canonical', 'uri', 'url'],
  composite: ['BackboneElement'],
}

/**
 * What a choice offers beside them that is no value of the search type in R4: a record that has it has no value. Of any other datatype that
 * is not looked at there could be values that nobody finds.
 */
const noValues: Readonly<Record<string, readonly string[]>> = {
  token: ['Quantity', 'Range', 'Reference'],
  date: ['Age', 'Range', 'string'],
  reference: ['Attachment'],
}

const specializations: Readonly<Record<string, Datatype>> = {
  Age: 'Quantity',
  Duration: 'Quantity',
  'http://hl7.org/fhirpath/System.String': 'id',
}

const normal = (datatype: string): string => specializations[datatype] ?? datatype

/** Compiles branches of expressions to the JSON members in which a search type finds its values. */
export class ElementPaths {
  readonly #elements: ReadonlyMap<string, ElementDefinition>
  readonly #systemsOf: (valueSet: string) => string[]

  constructor(elements: ReadonlyMap<string, ElementDefinition>, systemsOf: (valueSet: string) => string[]) {
    this.#elements = elements
    this.#systemsOf = systemsOf
  }

  /**
   * The paths of a branch below an element, given by the path of its definition such as `Observation.component`.
   * Throws when R4 defines no such element, or one with values that the search type cannot look at.
   */
  compile(base: string, parts: readonly Part[], searchType: string): ElementPath[] {
    const inline = base.includes('.')
    const start: Place = {
      steps: [],
      element: inline ? this.#elements.get(base) : undefined,
      datatype: inline ? 'BackboneElement' : base,
    }
    const places = parts.reduce<Place[]>((reached, part) => reached.flatMap((place) => this.#go(place, part)), [start])
    const reached = places.map((place) =>
      place.element === undefined ? { ...place, datatype: 'BackboneElement' } : place,
    )
    const isSearchable = ({ datatype }: Place) =>
      (searchable[searchType] as readonly string[] | undefined)?.includes(normal(datatype)) ?? false
    const paths = reached.filter(isSearchable)
    const others = reached.filter((place) => !isSearchable(place)).map(({ datatype }) => datatype)
    if (paths.length === 0 || others.some((datatype) => !noValues[searchType]?.includes(datatype))) {
      throw new NotSearchable(`a ${searchType} is not looked for in ${[...new Set(others)].join(', ') || 'nothing'}`)
    }
    return paths.map((place) => this.#path(place))
  }

  #path({ steps, element, datatype, refersTo }: Place): ElementPath {
    const valueSet = datatype === 'code' ? element?.binding?.valueSet : undefined
    return {
      steps,
      datatype: normal(datatype) as Datatype,
      ...(valueSet === undefined ? {} : { systems: this.#systemsOf(valueSet) }),
      ...(refersTo === undefined ? {} : { refersTo }),
    }
  }

  #go(place: Place, part: Part): Place[] {
    if ('refersTo' in part) return [{ ...place, refersTo: part.refersTo }]
    if ('where' in part) return [{ ...place, steps: [...place.steps, part] }]
    // The official component expression of code-value-date spells dateTime with a capital D.
    if ('ofType' in part) {
      const datatype = part.ofType === 'DateTime' ? 'dateTime' : part.ofType
      return place.datatype === datatype ? [place] : []
    }
    return this.#children(place, part.name)
  }

  #children({ steps, element, datatype, refersTo }: Place, name: string): Place[] {
    const inline = datatype === 'BackboneElement' || datatype === 'Element'
    const parent = inline && element !== undefined ? element.path : datatype
    const found = this.#elements.get(`${parent}.${name}`)
    const more = refersTo === undefined ? {} : { refersTo }
    if (found) {
      return (found.type ?? []).map(({ code }) => ({
        ...more,
        steps: [...steps, name],
        element: found,
        datatype: code,
      }))
    }
    const choices = [...this.#elements.values()].filter(
      ({ path }) =>
        path.startsWith(`${parent}.`) && path.endsWith('[x]') && !path.slice(parent.length + 1).includes('.'),
    )
    const places = choices.flatMap((choice) =>
      (choice.type ?? []).map(({ code }) => {
        const stem = choice.path.slice(parent.length + 1, -3)
        return { stem, member: `${stem}${code[0]!.toUpperCase()}${code.slice(1)}`, element: choice, datatype: code }
      }),
    )
    return places
      .filter(({ stem, member }) => stem === name || member === name)
      .map((choice) => ({
        ...more,
        steps: [...steps, choice.member],
        element: choice.element,
        datatype: choice.datatype,
      }))
  }
}
