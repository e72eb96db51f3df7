import type { FastifyRequest } from 'fastify'

/** Whether a request changes nothing, so that it may be refused when all is done. A GET may start an export. */
export const onlyLooks = ({ method, routeOptions }: FastifyRequest): boolean =>
  (method === 'GET' || method === 'HEAD') && routeOptions.config.kickOff === undefined
