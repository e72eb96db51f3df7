import { formatInstant } from '../fhir/instant.ts'
import type { AuditAgent, StoredEntry } from './entry.ts'
import { type Coding, eventCodes } from './event-codes.ts'

/** Subjects that an AuditEvent shows one by one; more of them, and the patients of an export, are listed in one `query`. */
const subjectsShownMax = 20

const outcomes = { success: '0', refused: '4', failed: '8' } as const

const entityType = (code: string, display: string): Coding => ({
  system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type',
  code,
  display,
})
const entityRole = (code: string, display: string): Coding => ({
  system: 'http://terminology.hl7.org/CodeSystem/object-role',
  code,
  display,
})
const person = entityType('1', 'Person')
const systemObject = entityType('2', 'System Object')

/** The role of what is no record. */
const roles: Readonly<Record<string, Coding>> = {
  Job: entityRole('20', 'Job'),
  File: entityRole('3', 'Report'),
  Client: entityRole('11', 'Security User Entity'),
  Tenant: entityRole('13', 'Security Resource'),
}

/**
 * An entry as an R4 AuditEvent, with the codes that IHE's Basic Audit Log Patterns use where they fit. Its id is the entry's number.
 * @param site the public URL of the server
 */
export function auditEvent(entry: StoredEntry, site: string): object {
  const recorded = formatInstant(entry.recorded.getTime())
  const { type, subtype, action } = eventCodes(entry)
  return {
    resourceType: 'AuditEvent',
    id: String(entry.number),
    meta: { versionId: '1', lastUpdated: recorded },
    type,
    ...(subtype.length === 0 ? {} : { subtype }),
    action,
    recorded,
    outcome: outcomes[entry.outcome],
    ...(entry.reason === undefined ? {} : { outcomeDesc: entry.reason }),
    agent: agentsOf(entry),
    source: {
      site,
      observer: { type: 'Device', display: 'Millrace' },
      type: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
          code: '4',
          display: 'Application Server',
        },
      ],
    },
    entity: entitiesOf(entry),
  }
}

/** Who asked comes first. What the server does for a client names both. */
function agentsOf({ agent, address, detail }: StoredEntry): object[] {
  const behalf = agent.kind === 'server' && detail?.client !== undefined
  const client = behalf ? [agentOf({ kind: 'client', id: String(detail.client) }, true, undefined)] : []
  return [...client, agentOf(agent, agent.kind !== 'server', address)]
}

const application: Coding = {
  system: 'http://dicom.nema.org/resources/ontology/DCM',
  code: '110150',
  display: 'Application',
}
const human: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/extra-security-role-type',
  code: 'humanuser',
  display: 'human user',
}

function agentOf({ kind, id }: AuditAgent, requestor: boolean, address: string | undefined): object {
  const isHuman = kind === 'administrator' || kind === 'operator'
  return {
    type: { coding: [isHuman ? human : application] },
    ...(id === undefined ? {} : { who: { identifier: { value: id } } }),
    name: kind,
    requestor,
    // The two kinds of address that we have: a caller's IP address, and the name of the machine of a command.
    ...(address === undefined ? {} : { network: { address, type: kind === 'operator' ? '1' : '2' } }),
  }
}

function entitiesOf({ kind, request, subjects = [], patients, detail }: StoredEntry): object[] {
  const entities: object[] = subjects.slice(0, subjectsShownMax).map(subjectEntity)
  if (subjects.length > subjectsShownMax) entities.push(listEntity('All records of the event.', subjects))
  if (patients !== undefined) {
    entities.push(
      listEntity(
        'The patients of the export.',
        patients.map((id) => `Patient/${id}`),
      ),
    )
  }
  const facts = Object.entries({ kind, ...detail })
  entities.push({
    type: systemObject,
    description: 'What else is known of the event.',
    detail: facts.map(([name, value]) => ({ type: name, valueString: String(value) || '-' })),
  })
  if (request !== undefined) {
    entities.push({
      type: {
        system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType',
        code: 'XrequestId',
      },
      what: { identifier: { value: request } },
    })
  }
  return entities
}

function subjectEntity(subject: string): object {
  const [type = '', id = ''] = subject.split('/')
  const role = roles[type]
  if (role) return { what: { identifier: { value: id }, display: subject }, type: systemObject, role }
  if (type === 'Patient') return { what: { reference: subject }, type: person, role: entityRole('1', 'Patient') }
  return { what: { reference: subject }, type: systemObject, role: entityRole('4', 'Domain Resource') }
}

/** A list of any length: its lines in `query`, which is base64, and how many there are. */
const listEntity = (description: string, lines: readonly string[]): object => ({
  type: systemObject,
  role: entityRole('24', 'Query'),
  description,
  query: Buffer.from(lines.join('\n')).toString('base64'),
  detail: [{ type: 'count', valueString: String(lines.length) }],
})
