import type { Queryable } from '../../database/queryable.ts'
import { Failure } from '../../failure.ts'
import { checkServerUrl } from '../registry/server-url.ts'
import { findTenant } from '../registry/tenant.ts'
import { type SignatureAlgorithm, signatureAlgorithms } from '../signature-algorithm.ts'

/** How tokens of another issuer are checked: with its published keys, or by asking it (RFC 7662). */
export type IssuerCheck =
  | { readonly kind: 'keys'; readonly url: string; readonly algorithms: readonly SignatureAlgorithm[] }
  | { readonly kind: 'introspection'; readonly url: string; readonly client: string; readonly secret: string }

/** Another authorization server whose tokens a tenant takes. */
export interface TrustedIssuer {
  readonly tenant: string
  /** The `iss` of its tokens, to the letter. */
  readonly issuer: string
  readonly check: IssuerCheck
  /** What `aud` must hold; undefined when tokens have no `aud` and name the tenant in Oracle's claims instead. */
  readonly audience: string | undefined
  /** How Oracle's claims name the tenant, if a token has them. */
  readonly foreignTenant: string
  readonly created: Date
}

/** The algorithms of a new issuer, when none is named. */
export const issuerAlgorithmsDefault: readonly SignatureAlgorithm[] = ['RS256', 'RS384', 'ES256', 'ES384']
/** Issuers that one tenant may trust. */
const issuersOfTenantMax = 5
const nameCharsMax = 2048

interface Row {
  readonly tenant: string
  readonly issuer: string
  readonly jwks_url: string | null
  readonly introspection_url: string | null
  readonly introspection_client: string | null
  readonly introspection_secret: string | null
  readonly algorithms: SignatureAlgorithm[]
  readonly audience: string | null
  readonly foreign_tenant: string
  readonly created: Date
}

/**
 * Lets a tenant trust an issuer.
 * @throws Failure when something of it cannot be, or the tenant trusts it or too many already.
 */
export async function addTrustedIssuer(
  database: Queryable,
  added: Omit<TrustedIssuer, 'created'>,
): Promise<TrustedIssuer> {
  const { tenant, issuer, check, audience, foreignTenant } = added
  checkIssuer(issuer)
  for (const text of [
    audience ?? 'none',
    foreignTenant,
    ...(check.kind === 'keys' ? [] : [check.client, check.secret]),
  ]) {
    if (text === '' || text.length > nameCharsMax || /\p{Cc}/u.test(text)) {
      throw new Failure(
        'An audience, tenant, client or secret is empty or too long.',
        `Use at most ${nameCharsMax} characters.`,
      )
    }
  }
  const url = checkServerUrl(check.url, check.kind === 'keys' ? 'key set' : 'introspection endpoint')
  const algorithms = check.kind === 'keys' ? check.algorithms : []
  const unknown = algorithms.find((algorithm) => !signatureAlgorithms.includes(algorithm))
  if (unknown !== undefined || (check.kind === 'keys' && algorithms.length === 0)) {
    throw new Failure(`"${unknown ?? ''}" is not an algorithm of tokens.`, `Use ${signatureAlgorithms.join(', ')}.`)
  }
  if (!(await findTenant(database, tenant))) {
    throw new Failure(`There is no tenant "${tenant}".`, `Add it with: bin/millrace tenant add ${tenant}`)
  }
  const secrets = check.kind === 'keys' ? [url, null, null, null] : [null, url, check.client, check.secret]
  const { rows } = await database.query<Row>(
    `insert into trusted_issuer (tenant, issuer, jwks_url, introspection_url, introspection_client, introspection_secret,
       algorithms, audience, foreign_tenant)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9
     where (select count(*) from trusted_issuer where tenant = $1) < ${issuersOfTenantMax}
     on conflict do nothing returning *`,
    [tenant, issuer, ...secrets, algorithms, audience ?? null, foreignTenant],
  )
  if (rows[0]) return issuerOf(rows[0])
  throw new Failure(
    `Tenant ${tenant} trusts ${issuer}, or ${issuersOfTenantMax} issuers, already.`,
    `List them with: bin/millrace issuer list --tenant ${tenant}`,
  )
}

/** The issuers that a tenant trusts, oldest first. */
export async function listTrustedIssuers(database: Queryable, tenant: string): Promise<readonly TrustedIssuer[]> {
  const { rows } = await database.query<Row>(
    'select * from trusted_issuer where tenant = $1 order by created, issuer',
    [tenant],
  )
  return rows.map(issuerOf)
}

/**
 * Ends the trust: tokens of the issuer are refused from the next request on.
 * @throws Failure when the tenant does not trust it.
 */
export async function removeTrustedIssuer(database: Queryable, tenant: string, issuer: string): Promise<void> {
  const { rowCount } = await database.query('delete from trusted_issuer where tenant = $1 and issuer = $2', [
    tenant,
    issuer,
  ])
  if (rowCount === 1) return
  throw new Failure(
    `Tenant "${tenant}" does not trust "${issuer}".`,
    'List what it trusts with: bin/millrace issuer list --tenant TENANT',
  )
}

function checkIssuer(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || /[#?\s]/.test(text) || text.length > nameCharsMax) {
    throw new Failure(
      `"${text}" cannot be an issuer.`,
      'Give the iss of its tokens to the letter: a URL without query and fragment.',
    )
  }
}

const issuerOf = (row: Row): TrustedIssuer => ({
  tenant: row.tenant,
  issuer: row.issuer,
  check:
    row.jwks_url === null
      ? {
          kind: 'introspection',
          url: row.introspection_url!,
          client: row.introspection_client!,
          secret: row.introspection_secret!,
        }
      : { kind: 'keys', url: row.jwks_url, algorithms: row.algorithms },
  audience: row.audience ?? undefined,
  foreignTenant: row.foreign_tenant,
  created: row.created,
})
