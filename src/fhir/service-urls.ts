/** The public URL of a server that was told none. */
export const defaultPublicUrl = 'http://127.0.0.1:8080'

/** The FHIR base of a tenant: the root of every FHIR request, and the `aud` of its access tokens. */
export const fhirBase = (publicUrl: string, tenant: string): string => `${publicUrl}/r4/${encodeURIComponent(tenant)}`

/** The issuer of a tenant's access tokens. */
export const tokenIssuer = (publicUrl: string, tenant: string): string =>
  `${publicUrl}/oauth2/${encodeURIComponent(tenant)}`

/** Where clients of a tenant ask for access tokens; the `aud` of their assertions (B9). */
export const tokenEndpoint = (publicUrl: string, tenant: string): string => `${tokenIssuer(publicUrl, tenant)}/token`

/** Where the state of an access token is told (RFC 7662). */
export const introspectionEndpoint = (publicUrl: string, tenant: string): string =>
  `${tokenIssuer(publicUrl, tenant)}/introspect`

/** Where the public keys that verify access tokens are published. */
export const issuerKeys = (publicUrl: string, tenant: string): string => `${tokenIssuer(publicUrl, tenant)}/jwks`

/** The SMART discovery document under a FHIR base, ours or another server's (B6). */
export const smartConfiguration = (base: string): string =>
  `${base.replace(/\/+$/, '')}/.well-known/smart-configuration`
