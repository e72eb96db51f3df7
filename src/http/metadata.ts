import type { FastifyInstance } from 'fastify'
import { capabilityStatement } from '../export/capability-statement.ts'
import { patientExportDefinition } from '../export/operation-definition.ts'
import { fhirBase, tokenEndpoint } from '../fhir/service-urls.ts'
import { fhirJson } from './answer.ts'
import type { HttpContext } from './context.ts'
import { allowOnly } from './method-not-allowed.ts'

const definitionPath = '/OperationDefinition/patient-export'

/** What the server can do, open to everybody (T-189): the OperationDefinition with and without a tenant, and `metadata`. */
export function metadataRoutes(app: FastifyInstance, context: HttpContext): void {
  const definitionUrl = () => `${context.publicUrl}/r4${definitionPath}`
  for (const path of [`/r4${definitionPath}`, `/r4/:tenant${definitionPath}`]) {
    app.get(path, async (_request, reply) =>
      reply.type(fhirJson).send(JSON.stringify(patientExportDefinition(definitionUrl()))),
    )
    allowOnly(app, path, ['GET'])
  }
  app.get('/r4/:tenant/metadata', async (request, reply) => {
    const { tenant } = request.params as { tenant: string }
    const urls = {
      base: fhirBase(context.publicUrl, tenant),
      tokenEndpoint: tokenEndpoint(context.publicUrl, tenant),
      patientExport: definitionUrl(),
    }
    const statement = capabilityStatement(urls, context.version, context.started.toISOString())
    return reply.type(fhirJson).send(JSON.stringify(statement))
  })
  allowOnly(app, '/r4/:tenant/metadata', ['GET'])
}
