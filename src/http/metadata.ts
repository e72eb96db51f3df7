import type { FastifyInstance } from 'fastify'
import { capabilityStatement } from '../export/capability-statement.ts'
import { type ExportOperation, exportOperations, operationDefinition } from '../export/operation-definition.ts'
import { servedAs } from '../export/profile.ts'
import { fhirBase, tokenEndpoint } from '../fhir/service-urls.ts'
import { fhirJson } from './answer.ts'
import type { HttpContext } from './context.ts'
import { described, fhirJsonType, schemaNamed } from './description.ts'
import { allowOnly } from './method-not-allowed.ts'

const definition = described({
  tag: 'Discovery',
  summary: 'The OperationDefinition of an export',
  answers: {
    200: { says: 'Its parameters.', content: { [fhirJsonType]: { schema: schemaNamed('Resource') } } },
  },
})

const capabilities = described({
  tag: 'Discovery',
  summary: 'The CapabilityStatement of a tenant',
  answers: {
    200: {
      says: 'Types, interactions, operations, and the search parameters of `_typeFilter`.',
      content: { [fhirJsonType]: { schema: schemaNamed('Resource') } },
    },
  },
})

/** What the server can do, open to everybody (T-189): the OperationDefinition with and without a tenant, and `metadata`. */
export function metadataRoutes(app: FastifyInstance, context: HttpContext): void {
  const definitionUrl = (operation: ExportOperation) => `${context.publicUrl}/r4/OperationDefinition/${operation}`
  for (const operation of exportOperations) {
    for (const path of [`/r4/OperationDefinition/${operation}`, `/r4/:tenant/OperationDefinition/${operation}`]) {
      app.get(path, { schema: definition }, async (_request, reply) =>
        reply.type(fhirJson).send(JSON.stringify(operationDefinition(operation, definitionUrl(operation)))),
      )
      allowOnly(app, path, ['GET'])
    }
  }
  app.get('/r4/:tenant/metadata', { schema: capabilities }, async (request, reply) => {
    const { tenant } = request.params as { tenant: string }
    const urls = {
      base: fhirBase(context.publicUrl, tenant),
      tokenEndpoint: tokenEndpoint(context.publicUrl, tenant),
      patientExport: definitionUrl('patient-export'),
      groupExport: definitionUrl('group-export'),
    }
    const profile = servedAs(await context.directory.tenant(tenant))
    const statement = capabilityStatement(urls, profile, context.version, context.started.toISOString())
    return reply.type(fhirJson).send(JSON.stringify(statement))
  })
  allowOnly(app, '/r4/:tenant/metadata', ['GET'])
}
