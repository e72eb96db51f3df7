import { profileNames, profiles } from '../../protocol/profile.ts'
import { exportParameters } from '../../protocol/request/export-parameter.ts'

/** The parameters of all profiles. */
const parameters = exportParameters(profiles.hl7, 'patient')

const text = { type: 'string' }
const object = (properties: object, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  required,
  properties,
})

const fileEntry = object(
  {
    type: {
      type: 'string',
      description: 'The resource type of every line of the file; absent from files that are organized by patient.',
    },
    url: { type: 'string', format: 'uri' },
    count: { type: 'integer', description: 'Lines of the file.' },
    continuesInFile: {
      type: 'string',
      format: 'uri',
      description: 'Where the block of the last patient in the file goes on.',
    },
  },
  ['url'],
)

/** The schemas that several routes name. They describe; nothing is validated with them. */
export const describedSchemas = [
  {
    $id: 'OperationOutcome',
    description: `Everything that is wrong, at most 100 issues and a count. The first one decided the status. Codes depend on the profile of the tenant (${profileNames.join(', ')}).`,
    ...object({
      resourceType: { const: 'OperationOutcome' },
      issue: {
        type: 'array',
        minItems: 1,
        items: object(
          {
            severity: { enum: ['fatal', 'error', 'warning', 'information'] },
            code: { type: 'string', description: 'A code of R4 IssueType.' },
            details: object({
              text: { type: 'string', description: 'Stable text, listed in docs/reference/problems.md.' },
            }),
            diagnostics: { type: 'string', description: 'The specifics of this occurrence.' },
            expression: { type: 'array', items: text, description: 'FHIRPath of what is wrong.' },
          },
          ['severity', 'code', 'details'],
        ),
      },
    }),
    examples: [
      {
        resourceType: 'OperationOutcome',
        issue: [
          {
            severity: 'error',
            code: 'invalid',
            details: { text: 'A patient must be a reference such as Patient/123.' },
            diagnostics: 'Allowed: Patient/{id}, or https://fhir.example.org/r4/clinic/Patient/{id}.',
            expression: ['Parameters.parameter[0].valueReference.reference'],
          },
        ],
      },
    ],
  },
  {
    $id: 'ExportParameters',
    description: parameters.map(({ name, documentation }) => `- \`${name}\`: ${documentation}`).join('\n'),
    ...object({
      resourceType: { const: 'Parameters' },
      parameter: {
        type: 'array',
        minItems: 1,
        items: object(
          {
            name: { enum: parameters.map(({ name }) => name) },
            valueReference: object({ reference: { type: 'string', examples: ['Patient/12783127'] } }),
            valueString: text,
            valueCode: text,
            valueInstant: { type: 'string', format: 'date-time' },
            valueBoolean: { type: 'boolean' },
          },
          ['name'],
        ),
      },
    }),
    examples: [
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'patient', valueReference: { reference: 'Patient/12783127' } },
          { name: '_type', valueString: 'Condition,Provenance' },
          { name: '_typeFilter', valueString: 'Condition?category=problem-list-item' },
          { name: '_since', valueInstant: '2021-03-18T19:19:42.000Z' },
        ],
      },
    ],
  },
  {
    $id: 'Manifest',
    ...object(
      {
        transactionTime: {
          type: 'string',
          format: 'date-time',
          description: 'The export shows the records as of this time.',
        },
        request: { type: 'string', format: 'uri', description: 'The URL of the kick-off.' },
        requiresAccessToken: { const: true },
        outputOrganizedBy: { const: 'Patient' },
        output: { type: 'array', items: fileEntry },
        deleted: {
          type: 'array',
          items: fileEntry,
          description: 'Files of transaction Bundles: what was deleted after `_since`.',
        },
        error: {
          type: 'array',
          items: fileEntry,
          description: 'Files of OperationOutcomes: what was ignored or not found.',
        },
        link: {
          type: 'array',
          maxItems: 1,
          items: object({ relation: { const: 'next' }, url: { type: 'string', format: 'uri' } }),
          description: 'The next manifest, where there are several.',
        },
      },
      ['transactionTime', 'request', 'requiresAccessToken', 'output', 'error'],
    ),
  },
  {
    $id: 'Resource',
    description: 'A FHIR R4 resource.',
    ...object({ resourceType: text, id: text }, ['resourceType']),
    additionalProperties: true,
  },
  {
    $id: 'Token',
    ...object({ access_token: text, token_type: { const: 'bearer' }, expires_in: { type: 'integer' }, scope: text }),
  },
  { $id: 'OAuthError', ...object({ error: text, error_description: text }) },
]
