import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a page of this route may load, as a `Content-Security-Policy`; without it nothing at all. */
    readonly contentSecurityPolicy?: string
  }
}

/** For answers that are data: whatever a browser takes them for, they load, run, frame and send nothing. */
const dataPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

const transportSecondsMax = 365 * 24 * 60 * 60

/** The headers that every answer has, by its route's policy. HSTS only where clients come by https (RFC 6797 §7.2). */
export function securityHeaders(publicUrl: string, policy = dataPolicy): Readonly<Record<string, string>> {
  return {
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    ...(publicUrl.startsWith('https:') ? { 'Strict-Transport-Security': `max-age=${transportSecondsMax}` } : {}),
  }
}

/**
 * Gives every answer its security headers before anything else happens; a route may set others, such as `Cache-Control` for what is
 * public. A page says what it loads with `config: { contentSecurityPolicy }` of its route.
 */
export function addSecurityHeaders(app: FastifyInstance, context: { readonly publicUrl: string }): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders(context.publicUrl, request.routeOptions.config.contentSecurityPolicy))
  })
}
