import type { FastifyInstance, FastifyReply } from 'fastify'
import { bearerChallenge } from '../../../access/bearer.ts'
import type { Problem } from '../../../protocol/problem.ts'
import type { Profile } from '../../../protocol/profile.ts'
import { roomOf } from '../../bytes/room.ts'
import { callerOf } from '../../caller.ts'
import type { StoreContext } from '../../context.ts'
import { described, fhirJsonType, schemaNamed } from '../../description.ts'
import { fhirJson, sendProblems } from '../../outcome-answer.ts'
import { costOf, type RateLimits } from '../../rates.ts'
import { contendedRefusal } from '../write-description.ts'
import { auditEntries } from './audited-entries.ts'
import { answerBytes, answerEntries } from './bundle-answer.ts'
import { readBundle } from './bundle-body.ts'
import { writeBundle } from './bundle-write.ts'

const bundle = described({
  tag: 'Records',
  summary: 'Write and read many records with a transaction or batch Bundle',
  details:
    'References between entries are resolved by `fullUrl`, and conditional references (`Practitioner?identifier=system|value`) by ' +
    'the one record that has the identifier. Conditional creates, updates and deletes are those of the single requests.',
  token: 'the scopes that the entries need; conditions and conditional references also read all of their types',
  body: { [fhirJsonType]: schemaNamed('Resource') },
  answers: {
    200: {
      says: 'A Bundle with an entry for each entry.',
      content: { [fhirJsonType]: { schema: schemaNamed('Resource') } },
    },
  },
  refusals: {
    400: 'Not a transaction or batch, or an entry of a transaction is wrong.',
    404: 'An entry of a transaction names no resource type.',
    409: `An entry of a transaction would give a new record the id of another one. Or: ${contendedRefusal}`,
    412: 'In a transaction, a version in `ifMatch` is not the current one, or a condition or conditional reference does not mean one record.',
    415: '`Content-Type` is missing or not FHIR JSON.',
    422: 'An entry of a transaction is a Group with a modifier extension.',
  },
})

/** FHIR transaction (all or nothing) and batch (each for itself) at the tenant's base. */
export function bundleRoute(scope: FastifyInstance, context: StoreContext, limits: Pick<RateLimits, 'charge'>): void {
  scope.post('/', { config: { audit: 'write' }, schema: bundle }, async (request, reply) => {
    const caller = callerOf(request)
    const body = readBundle(request)
    if (!('type' in body)) return sendProblems(reply, [body], caller.profile)
    limits.charge(caller.grant.client, costOf({ entries: body.steps.length }))
    const result = await writeBundle(request, context, body)
    if (!('planned' in result)) return refuse(reply, context, result, caller.profile)
    const answers = await answerEntries(context, caller, roomOf(request), result)
    await auditEntries(request, context, result.planned, answers)
    return reply.type(fhirJson).send(answerBytes(body.type, answers))
  })
}

function refuse(reply: FastifyReply, context: StoreContext, problems: readonly Problem[], profile: Profile) {
  if (problems.some(({ status }) => status === 403)) {
    reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
  }
  return sendProblems(reply, problems, profile)
}
