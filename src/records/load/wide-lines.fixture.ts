/**
 * Lines of records of types that belong to patients by the compartment: of one patient, of several, of nobody, some with a category; and
 * Provenances about them.
 * @param patients at least three ids
 * @param count of each kind
 * @param noteChars how long a member without meaning is
 */
export function wideLines(
  patients: readonly string[],
  count: number,
  noteChars = 800,
): { records: string[]; provenances: string[] } {
  const patient = (index: number) => ({ reference: `Patient/${patients[index % patients.length]}` })
  const both = (index: number) => [patient(index), patient(index + 1)]
  const category = (index: number) => [{ text: index % 2 === 0 ? 'even' : 'odd' }]
  const note = 'x'.repeat(noteChars)
  const resources = Array.from({ length: count }, (_, n) => [
    { resourceType: 'ServiceRequest', id: `order-${n}`, subject: patient(n), category: category(n) },
    {
      resourceType: 'Coverage',
      id: `coverage-${n}`,
      beneficiary: patient(n),
      payor: [{ reference: 'Organization/o' }],
    },
    { resourceType: 'RelatedPerson', id: `related-${n}`, patient: patient(n) },
    { resourceType: 'Appointment', id: `visit-${n}`, participant: both(n).map((actor) => ({ actor })) },
    {
      resourceType: 'Composition',
      id: `document-${n}`,
      subject: patient(n),
      author: both(n),
      category: category(n),
    },
    { resourceType: 'Account', id: `account-${n}`, subject: n % 2 === 0 ? both(n) : [patient(n)] },
    { resourceType: 'Appointment', id: `nobody-${n}`, participant: [{ actor: { reference: 'Location/l' } }] },
    { resourceType: 'Medication', id: `drug-${n}`, identifier: [{ system: 'drugs', value: `${n}` }] },
  ]).flat()
  const targets = (n: number) => [[`Appointment/visit-${n}`], [`Coverage/coverage-${n}`, `Composition/document-${n}`]]
  const provenances = Array.from({ length: count }, (_, n) =>
    targets(n).map((references, index) => ({
      ...{ resourceType: 'Provenance', id: `about-${n}-${index}`, recorded: `20${10 + (n % 10)}-01-01T00:00:00Z` },
      target: references.map((reference) => ({ reference })),
    })),
  ).flat()
  const linesOf = (each: readonly object[]) => each.map((resource) => JSON.stringify({ ...resource, note }))
  return { records: linesOf(resources), provenances: linesOf(provenances) }
}
