import type { Wish } from './caller.ts'

/** Instants of the store that `_since` is asked with: before all of it, and when half of its records were there. */
export interface Moments {
  readonly before: string
  readonly middle: string
}

/** What an export of some patients asks for. */
export interface Shape {
  readonly label: string
  readonly wish: (moments: Moments) => Omit<Wish, 'patients'>
}

const relevant = ['RelevantProvenanceResources']
const latest = ['LatestProvenanceResources']

const problems = 'Condition?category=problem-list-item'

/** Shapes of requests as clients send them: the documented parameters one by one, and together as the documentation does. */
export const shapes = {
  condition: { label: '_type=Condition', wish: () => ({ types: ['Condition'] }) },
  'condition-provenance': {
    label: '_type=Condition,Provenance',
    wish: () => ({ types: ['Condition', 'Provenance'] }),
  },
  problems: { label: problems, wish: () => ({ types: ['Condition'], typeFilters: [problems] }) },
  'page-example': {
    label: 'the example of the documentation',
    wish: ({ before }) => ({
      types: ['Condition', 'Provenance'],
      typeFilters: [problems],
      includeAssociatedData: relevant,
      since: before,
    }),
  },
  latest: { label: 'LatestProvenanceResources', wish: () => ({ includeAssociatedData: latest }) },
  relevant: { label: 'RelevantProvenanceResources', wish: () => ({ includeAssociatedData: relevant }) },
  'since-before': { label: '_since before everything', wish: ({ before }) => ({ since: before }) },
  'since-middle': { label: '_since in the middle', wish: ({ middle }) => ({ since: middle }) },
  'since-middle-observations': {
    label: '_since in the middle, _type=Observation',
    wish: ({ middle }) => ({ types: ['Observation'], since: middle }),
  },
  laboratory: {
    label: 'Observation?category=laboratory',
    wish: () => ({ types: ['Observation'], typeFilters: ['Observation?category=laboratory'] }),
  },
  'laboratory-encounters': {
    label: 'Observation?category=laboratory, Encounter',
    wish: () => ({ types: ['Observation', 'Encounter'], typeFilters: ['Observation?category=laboratory'] }),
  },
  'active-medication': {
    label: 'MedicationRequest?status=active, Practitioner',
    wish: () => ({
      types: ['MedicationRequest', 'Practitioner'],
      typeFilters: ['MedicationRequest?status=active'],
    }),
  },
  'two-filters': {
    label: `${problems}, Observation?category=laboratory, Provenance`,
    wish: () => ({
      types: ['Condition', 'Observation', 'Provenance'],
      typeFilters: [problems, 'Observation?category=laboratory'],
    }),
  },
} as const satisfies Readonly<Record<string, Shape>>

export type ShapeName = keyof typeof shapes
export const shapeNames = Object.keys(shapes) as ShapeName[]
