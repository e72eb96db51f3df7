import type { FastifyInstance, FastifyReply } from 'fastify'
import { fhirBase, tokenEndpoint } from '../../fhir/service-urls.ts'
import { capabilityStatement } from '../../protocol/answer/capability-statement.ts'
import {
  type ExportOperation,
  exportOperations,
  operationDefinition,
} from '../../protocol/answer/operation-definition.ts'
import { problem } from '../../protocol/problem.ts'
import { type Profile, profiles } from '../../protocol/profile.ts'
import { profileOfTenant } from '../caller.ts'
import type { HttpContext } from '../context.ts'
import { described, fhirJsonType, schemaNamed } from '../description.ts'
import { allowOnly } from '../method-not-allowed.ts'
import { fhirJson, sendProblems } from '../outcome-answer.ts'

const definition = described({
  tag: 'Discovery',
  summary: 'The OperationDefinition of an export',
  answers: {
    200: { says: 'Its parameters.', content: { [fhirJsonType]: { schema: schemaNamed('Resource') } } },
  },
  refusals: { 404: 'The profile of the tenant does not serve this export.' },
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

/**
 * What the server can do, open to everybody (T-189): the OperationDefinitions with and without a tenant, and `metadata`. Without a
 * tenant they are those of the default profile.
 */
export function metadataRoutes(app: FastifyInstance, context: HttpContext): void {
  for (const operation of exportOperations) {
    app.get(`/r4/OperationDefinition/${operation}`, { schema: definition }, (_request, reply) =>
      sendDefinition(reply, operation, profiles.millennium, context.publicUrl),
    )
    app.get(`/r4/:tenant/OperationDefinition/${operation}`, { schema: definition }, async (request, reply) => {
      const { tenant } = request.params as { tenant: string }
      return sendDefinition(reply, operation, await profileOfTenant(context, tenant), context.publicUrl, tenant)
    })
    allowOnly(app, `/r4/OperationDefinition/${operation}`, ['GET'])
    allowOnly(app, `/r4/:tenant/OperationDefinition/${operation}`, ['GET'])
  }
  app.get('/r4/:tenant/metadata', { schema: capabilities }, async (request, reply) => {
    const { tenant } = request.params as { tenant: string }
    const profile = await profileOfTenant(context, tenant)
    const urls = {
      base: fhirBase(context.publicUrl, tenant),
      tokenEndpoint: tokenEndpoint(context.publicUrl, tenant),
      definition: (operation: ExportOperation) => definitionUrl(operation, context.publicUrl),
    }
    const statement = capabilityStatement(urls, profile, context.version, context.started.toISOString())
    return reply.type(fhirJson).send(JSON.stringify(statement))
  })
  allowOnly(app, '/r4/:tenant/metadata', ['GET'])
}

const definitionUrl = (operation: ExportOperation, publicUrl: string): string =>
  `${publicUrl}/r4/OperationDefinition/${operation}`

/** A definition that is not the default profile's has a URL of its own, under the tenant's base. */
function sendDefinition(
  reply: FastifyReply,
  operation: ExportOperation,
  profile: Profile,
  publicUrl: string,
  tenant?: string,
) {
  const ownUrl = tenant !== undefined && profile.igDefinitions
  const url = ownUrl
    ? `${fhirBase(publicUrl, tenant)}/OperationDefinition/${operation}`
    : definitionUrl(operation, publicUrl)
  const definition = operationDefinition(operation, url, profile)
  if (definition !== undefined) return reply.type(fhirJson).send(JSON.stringify(definition))
  return sendProblems(reply, [problem(404, 'not-found', 'This operation is not served.')], profile)
}
