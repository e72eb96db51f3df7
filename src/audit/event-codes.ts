import type { AuditEntry, AuditKind } from './entry.ts'

/** A FHIR Coding. */
export interface Coding {
  readonly system: string
  readonly code: string
  readonly display: string
}

/** How an AuditEvent says what happened. */
interface EventCodes {
  readonly type: Coding
  readonly subtype: readonly Coding[]
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E'
}

const dicom = (code: string, display: string): Coding => ({
  system: 'http://dicom.nema.org/resources/ontology/DCM',
  code,
  display,
})
const interaction = (code: string): Coding => ({
  system: 'http://hl7.org/fhir/restful-interaction',
  code,
  display: code,
})

const rest: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
  code: 'rest',
  display: 'RESTful Operation',
}
const destroy: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle',
  code: 'destroy',
  display: 'Destroy/Delete Record Lifecycle Event',
}
const exported = dicom('110106', 'Export')
const securityAlert = dicom('110113', 'Security Alert')

/** The codes of each kind: DICOM's audit events where there is one, as IHE uses them, else the REST interaction. */
const codesOf: Readonly<Record<AuditKind, EventCodes>> = {
  token: { type: dicom('110114', 'User Authentication'), subtype: [dicom('110122', 'Login')], action: 'E' },
  access: { type: securityAlert, subtype: [dicom('110132', 'Use of Restricted Function')], action: 'E' },
  'kick-off': { type: exported, subtype: [interaction('operation')], action: 'E' },
  export: { type: exported, subtype: [], action: 'R' },
  link: { type: rest, subtype: [interaction('read')], action: 'R' },
  download: { type: exported, subtype: [interaction('read')], action: 'R' },
  delete: { type: rest, subtype: [interaction('delete')], action: 'D' },
  expiry: { type: destroy, subtype: [], action: 'D' },
  read: { type: rest, subtype: [interaction('read')], action: 'R' },
  write: { type: rest, subtype: [interaction('transaction')], action: 'E' },
  load: { type: dicom('110107', 'Import'), subtype: [], action: 'C' },
  audit: { type: dicom('110101', 'Audit Log Used'), subtype: [], action: 'R' },
  administration: { type: securityAlert, subtype: [dicom('110129', 'Security Configuration')], action: 'U' },
  gap: { type: securityAlert, subtype: [dicom('110133', 'Audit Recording Stopped')], action: 'E' },
}

const writes: Readonly<Record<string, Pick<EventCodes, 'subtype' | 'action'>>> = {
  created: { subtype: [interaction('create')], action: 'C' },
  updated: { subtype: [interaction('update')], action: 'U' },
  deleted: { subtype: [interaction('delete')], action: 'D' },
}

/** The codes of an entry; a write of one kind has that kind's own. */
export function eventCodes({ kind, detail = {} }: Pick<AuditEntry, 'kind' | 'detail'>): EventCodes {
  const [became, ...others] = kind === 'write' ? Object.keys(detail) : []
  const single = others.length === 0 && became !== undefined ? writes[became] : undefined
  return { ...codesOf[kind], ...single }
}
