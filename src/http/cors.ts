import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `false`: no page of another origin may read the answer. */
    readonly cors?: false
  }
}

/** Clients in browsers may call from any origin (protocol §9, T-190): what protects the data is the token, not the origin. */
export function allowCrossOrigin(app: FastifyInstance): void {
  app.register(cors, {
    origin: '*',
    methods: ['DELETE', 'GET', 'POST', 'PUT', 'PATCH', 'OPTIONS', 'HEAD'],
    exposedHeaders: [
      'ETag',
      'Content-Location',
      'Location',
      'X-Request-Id',
      'opc-request-id',
      'X-Progress',
      'X-Export-Status',
      'Preference-Applied',
      'Retry-After',
      'Expires',
      'WWW-Authenticate',
      'Date',
    ],
    maxAge: 0,
    strictPreflight: false,
  })
}
