import type { FastifyRequest } from 'fastify'
import type { Administrator } from '../../administration/administer.ts'

/** Who administers over HTTP, for the trail. */
export const administratorOf = (request: FastifyRequest): Administrator => ({
  agent: { kind: 'administrator' },
  address: request.ip,
  request: request.id,
})
