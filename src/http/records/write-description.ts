import { fhirJsonType, type RouteDescription, schemaNamed } from '../description.ts'

/** What the descriptions of all writes have in common. */
export const writing = {
  tag: 'Records',
  token: 'the system write scope of the type',
} as const satisfies Partial<RouteDescription>

export const resourceBody = { [fhirJsonType]: schemaNamed('Resource') }

const resource = { [fhirJsonType]: { schema: schemaNamed('Resource') } }
const written = {
  ETag: 'The version.',
  Location: 'The version that was written.',
  'Last-Modified': '`meta.lastUpdated`',
}

export const createdAnswer = { says: 'It was created.', headers: written, content: resource }
export const changedAnswer = {
  says: 'It was changed. Without a body: nothing differs, there is no new version.',
  headers: written,
  content: resource,
}
export const foundAnswer = {
  says: 'There is such a record: this one. Nothing was written.',
  headers: written,
  content: resource,
}
export const deletedAnswer = { says: 'It is not there, or not any more.' }

/** The token of a request that may have a condition. */
export const conditionToken =
  'the system write scope of the type; where there is a condition also the read scope of all its records'
export const conditionQuery = {
  identifier: { type: 'string', examples: ['http://hl7.org/fhir/sid/us-npi|1234567893'] },
}
export const unclearCondition =
  'Several records have the identifier, or the one that has it has another version than `If-Match` says.'

export const contendedRefusal = 'Others are changing the same records. Nothing was written: ask again.'

export const ifMatchHeader = { 'If-Match': { type: 'string', examples: ['W/"3"'] } }

export const badBody = {
  400: 'The body is not a resource that can be stored, or does not fit the URL.',
  404: 'The URL names no resource type.',
  415: '`Content-Type` is missing or not FHIR JSON.',
  422: 'The body is a Group with a modifier extension, which may change who is a member.',
}
