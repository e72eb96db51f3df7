import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema } from 'fastify'
import type { HttpContext } from '../context.ts'
import { described, tags } from '../description.ts'
import { allowOnly } from '../method-not-allowed.ts'
import { describedSchemas } from './described-schemas.ts'

/**
 * Collects the descriptions of the routes that are registered behind it. The schemas only describe: nothing is validated, filled in,
 * turned into another type or left out of an answer because of them.
 */
export function collectDescriptions(app: FastifyInstance, { version }: Pick<HttpContext, 'version'>): void {
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => JSON.stringify)
  for (const schema of describedSchemas) app.addSchema(schema)
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Millrace',
        version,
        description: 'A FHIR R4 bulk export server. Every answer has `X-Request-Id` and `opc-request-id`.',
      },
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An access token of SMART Backend Services.' },
        },
      },
    },
    convertConstToEnum: false,
    refResolver: { buildLocalReference: ({ $id }) => String($id) },
    // A path that is nothing but a prefix is registered with and without a slash at its end: one of them is told.
    transform: ({ schema, url }) => ({ schema: withPathParameters(schema, url), url: url.replace(/(?<=.)\/$/, '') }),
  })
}

const pathParameters: Readonly<Record<string, string>> = {
  tenant: 'The organisation.',
  id: 'An id, as it stands in a URL that the server gave or in a record.',
  type: 'A resource type, such as `Condition`.',
  version: 'A version, as in `meta.versionId`.',
}

/** Says what the parts of a path are; routes need not do it each. */
function withPathParameters(schema: FastifySchema | undefined, url: string): FastifySchema {
  const names = [...url.matchAll(/:(\w+)/g)].map(([, name]) => name!)
  const properties = Object.fromEntries(
    names.map((name) => [name, { type: 'string', description: pathParameters[name] }]),
  )
  return { ...schema, ...(names.length > 0 ? { params: { type: 'object', properties } } : {}) }
}

/** Nothing but what comes from this server: scripts, styles, and the request for the document. Icons are data URLs of the style sheet. */
const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** `/openapi.json`, and `/docs`, a page that shows it. */
export function documentationRoutes(app: FastifyInstance): void {
  const schema = described({
    tag: 'Operation',
    summary: 'This document',
    answers: { 200: { says: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } } },
  })
  app.get('/openapi.json', { schema }, async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(app.swagger())),
  )
  allowOnly(app, '/openapi.json', ['GET'])
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsPolicy,
    theme: { title: 'Millrace' },
    uiConfig: { docExpansion: 'list', defaultModelsExpandDepth: 0, supportedSubmitMethods: [], validatorUrl: null },
  })
}
