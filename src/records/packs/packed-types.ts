import { ownedTypes } from '../../fhir/ownership.ts'

/** The types of which owners have packs. */
export const packedTypes: readonly string[] = [...ownedTypes, 'Provenance']
