import type { FastifySchema } from 'fastify'
import { type ExportLevel, profiles } from '../../protocol/profile.ts'
import { exportParameters } from '../../protocol/request/export-parameter.ts'
import { described, fhirJsonType, schemaNamed } from '../description.ts'

/** The headers and answers that all kick-offs have. */
const common = {
  tag: 'Export',
  headers: {
    Accept: { type: 'string', description: 'Must allow FHIR JSON.', examples: ['application/fhir+json'] },
    Prefer: {
      type: 'string',
      description:
        '`handling=lenient` ignores what is not supported and tells so in warnings. In `hl7`, `separate-export-status` parts the status of the export from that of the request for it.',
      examples: ['respond-async', 'respond-async, handling=lenient'],
    },
  },
  answers: {
    202: {
      says: 'The export was accepted. The body is empty, or has a warning for each thing that was ignored.',
      headers: {
        'Content-Location': 'The URL of the status.',
        'Preference-Applied': 'What of `Prefer` is heeded, if it was `separate-export-status`.',
      },
      content: { [fhirJsonType]: { schema: schemaNamed('OperationOutcome') } },
    },
  },
} as const

const refusals = {
  400: 'Something is wrong with headers or parameters, or a patient is not known: every problem at once.',
  405: 'The profile of the tenant does not start exports by this method; `Allow` has those it does.',
  406: '`Accept` is missing or does not allow FHIR JSON.',
  422: 'A query of `_typeFilter` cannot be applied.',
  429: 'Another export of the client is in progress. `diagnostics` has its URL, `Retry-After` tells when to ask again.',
  503: 'The store is busy with a write, or has too little free disk: ask again after `Retry-After` seconds; or the issuer of the token cannot be asked now.',
}

/** What sets the levels apart. */
const levels = {
  patient: {
    summary: 'Start an export of chosen patients',
    details: 'In `hl7`, without `patient`: of all patients.',
    token: 'system read scopes of the types that are exported',
    refusals: {},
  },
  instance: {
    summary: 'Start an export of one patient',
    details: 'Exports the records of the patient.',
    token: 'system read scopes of the types that are exported',
    refusals: { 404: 'There is no such patient, or the profile of the tenant serves no export of one.' },
  },
  group: {
    summary: 'Start an export of the members of a Group',
    details: 'Exports the patients who are members of the Group, and of the Groups in it, at this moment.',
    token: 'system read scopes of the types that are exported; in `hl7` also of Group',
    refusals: {
      404: 'There is no such Group.',
      422: 'It cannot be told who is in the Group, or a query of `_typeFilter` cannot be applied.',
    },
  },
  system: {
    summary: 'Start an export of everything',
    details: 'The records of all patients, and those that belong to nobody.',
    token: 'system read scopes of the types that are exported',
    refusals: { 404: 'The profile of the tenant serves no export of the system.' },
  },
} as const

/** The description of a kick-off. Parameters that not all profiles have are among those that it tells. */
export function describedKickOff(level: ExportLevel, method: 'GET' | 'POST'): FastifySchema {
  const { refusals: own, ...about } = levels[level]
  const parameters = exportParameters(profiles.hl7, level).filter(({ name }) => name !== 'patient')
  const query = Object.fromEntries(
    parameters.map(({ name, documentation }) => [name, { type: 'string', description: documentation }]),
  )
  return described({
    ...common,
    ...about,
    ...(method === 'GET' ? { query } : { body: { [fhirJsonType]: schemaNamed('ExportParameters') } }),
    refusals: {
      ...refusals,
      ...(method === 'POST' ? { 415: '`Content-Type` is missing or not FHIR JSON.' } : {}),
      ...own,
    },
  })
}
