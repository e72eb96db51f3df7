/** Members that records of the simulation have and R4 knows, by type: those that are always kept, and those that may be asked for. */
const members: Readonly<Record<string, { readonly always: readonly string[]; readonly optional: readonly string[] }>> =
  {
    Patient: { always: ['link'], optional: ['text'] },
    Condition: { always: ['subject'], optional: ['text'] },
    Device: { always: [], optional: ['patient', 'text'] },
    Observation: { always: [], optional: ['subject', 'performer', 'text'] },
    CareTeam: { always: [], optional: ['subject', 'participant', 'text'] },
    Immunization: { always: ['patient'], optional: ['performer', 'text'] },
    Appointment: { always: ['participant'], optional: ['text'] },
    Composition: { always: ['author'], optional: ['subject', 'text'] },
    RelatedPerson: { always: ['patient'], optional: ['text'] },
    Provenance: { always: ['target', 'recorded'], optional: ['text'] },
    Practitioner: { always: [], optional: ['text'] },
    Organization: { always: [], optional: ['partOf', 'text'] },
    Location: { always: [], optional: ['partOf', 'text'] },
  }

/** Items of `_elements` that mean something for these records. */
export const elementItems = ['subject', 'patient', 'text', 'performer', 'CareTeam.participant', 'Location.partOf', 'id']

const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }

interface Parsed {
  readonly resourceType: string
  readonly meta: { readonly tag?: readonly object[] }
}

/** What a record is with some elements only (D16). */
export function subsetOf(record: Parsed, items: readonly string[]): object {
  const { always, optional } = members[record.resourceType]!
  const asked = optional.filter((name) => items.includes(name) || items.includes(`${record.resourceType}.${name}`))
  const kept = ['resourceType', 'id', 'meta', ...always, ...asked]
  const marked = { ...record, meta: { ...record.meta, tag: [...(record.meta.tag ?? []), subsetted] } }
  return Object.fromEntries(Object.entries(marked).filter(([name]) => kept.includes(name)))
}
