import { createHash } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, type ProtectedHeaderParameters } from 'jose'
import type { Queryable } from '../../database/queryable.ts'
import { BriefCache } from '../brief-cache.ts'
import { RateLimit } from '../rate-limit.ts'
import { kidCharsMax } from '../registry/client-key-set.ts'
import { isTenantId } from '../registry/tenant.ts'
import { type ForeignHolder, readForeignClaims } from './foreign-claims.ts'
import type { KeySets } from './key-sets.ts'
import { askForJson, type OutboundRules } from './outbound.ts'
import { type IssuerCheck, listTrustedIssuers, type TrustedIssuer } from './trusted-issuer.ts'

/** How long the answer of an introspection is believed: a token that its issuer revokes may live that much longer. */
const introspectedMsMax = 10_000
const introspectedEntriesMax = 1_000
/** Characters of an answer, so that what is remembered stays below 16 MiB. */
const introspectedCharsMax = 16_384
/**
 * Questions of one tenant to one issuer about tokens that are not known yet. Whoever sends made-up tokens must not make us a nuisance to
 * it, nor keep another tenant's clients from it.
 */
const questionsOfIssuer = { burst: 100, perSecond: 20, keysMax: 1_000 } as const
/** How far the clocks of an issuer and a server may differ. */
const clockSecondsMax = 30
/** What the header of an access token may call it. Other kinds of JWT of the same issuer are none. */
const tokenTypes: readonly unknown[] = [undefined, 'JWT', 'at+jwt', 'application/at+jwt']

/** Whether a token of an outside issuer is valid. `tenant`: it is for another tenant; `unavailable`: the issuer cannot be asked. */
export type ForeignVerdict = ForeignHolder | 'expired' | 'invalid' | 'tenant' | 'unavailable'

type Claims = Readonly<Record<string, unknown>>

/** Checks tokens of the authorization servers that a tenant trusts beside this one. */
export class OutsideIssuers {
  readonly #database: Queryable
  readonly #keySets: KeySets
  readonly #rules: OutboundRules
  readonly #now: () => Date
  readonly #answers: BriefCache<Claims>
  readonly #questions: RateLimit

  constructor(database: Queryable, keySets: KeySets, rules: OutboundRules, now: () => Date, elapsed: () => number) {
    this.#database = database
    this.#keySets = keySets
    this.#rules = rules
    this.#now = now
    this.#answers = new BriefCache({ msMax: introspectedMsMax, entriesMax: introspectedEntriesMax, elapsed })
    this.#questions = new RateLimit(questionsOfIssuer, elapsed)
  }

  /**
   * The verdict on a token that is not ours; undefined when no issuer of the tenant can be meant. The client is named
   * `{issuer}#{client}`, so that it is never one of ours or of another issuer. Trust that has ended is not remembered.
   */
  async verdict(token: string, tenant: string): Promise<ForeignVerdict | undefined> {
    if (!isTenantId(tenant)) return undefined
    const name = issuerNamed(token)
    const issuers = await listTrustedIssuers(this.#database, tenant)
    // A token that is no JWT does not tell who made it: whoever answers questions is asked.
    const meant = issuers.filter((issuer) =>
      name === undefined ? issuer.check.kind === 'introspection' : issuer.issuer === name,
    )
    let verdict: ForeignVerdict | undefined
    for (const issuer of meant) {
      const found = await this.#judge(token, issuer)
      if (typeof found !== 'string') return { ...found, client: `${issuer.issuer}#${found.client}` }
      verdict = verdict === undefined || verdict === 'invalid' ? found : verdict
    }
    return verdict
  }

  async #judge(token: string, issuer: TrustedIssuer): Promise<ForeignVerdict> {
    const { check } = issuer
    const claims =
      check.kind === 'keys'
        ? await this.#verified(token, issuer, check)
        : await this.#introspected(token, issuer, check)
    return typeof claims === 'string' ? claims : readForeignClaims(claims, issuer)
  }

  async #verified(
    token: string,
    { issuer }: TrustedIssuer,
    { url, algorithms }: IssuerCheck & { kind: 'keys' },
  ): Promise<Claims | 'expired' | 'invalid' | 'unavailable'> {
    const { alg, kid, jku, typ } = headerOf(token)
    const algorithm = algorithms.find((candidate) => candidate === alg)
    if (algorithm === undefined || !tokenTypes.includes(typ)) return 'invalid'
    if (typeof kid !== 'string' || kid === '' || kid.length > kidCharsMax) return 'invalid'
    const found = await this.#keySets.find({ kind: 'url', url }, { alg: algorithm, kid, jku })
    if ('reason' in found) return found.unavailable ? 'unavailable' : 'invalid'
    try {
      const { payload } = await jwtVerify(token, found.key, {
        issuer,
        algorithms: [algorithm],
        requiredClaims: ['exp'],
        clockTolerance: clockSecondsMax,
        currentDate: this.#now(),
      })
      return payload
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'expired'
      // A TypeError means that the key cannot serve the algorithm, for instance a short RSA key.
      if (error instanceof errors.JOSEError || error instanceof TypeError) return 'invalid'
      throw error
    }
  }

  async #introspected(
    token: string,
    { tenant, issuer }: TrustedIssuer,
    check: IssuerCheck & { kind: 'introspection' },
  ): Promise<Claims | 'expired' | 'invalid' | 'unavailable'> {
    const key = createHash('sha256')
      .update(JSON.stringify([tenant, issuer, check.url, token]))
      .digest('base64url')
    let claims: Claims
    try {
      claims = await this.#answers.get(key, () => this.#ask(token, { tenant, issuer }, check))
    } catch {
      return 'unavailable'
    }
    const seconds = this.#now().getTime() / 1000
    const { active, iss, exp, nbf } = claims
    if (active !== true || (iss !== undefined && iss !== issuer)) return 'invalid'
    if (exp !== undefined && (typeof exp !== 'number' || exp + clockSecondsMax <= seconds)) return 'expired'
    if (nbf !== undefined && (typeof nbf !== 'number' || nbf - clockSecondsMax > seconds)) return 'invalid'
    return claims
  }

  async #ask(
    token: string,
    { tenant, issuer }: Pick<TrustedIssuer, 'tenant' | 'issuer'>,
    check: IssuerCheck & { kind: 'introspection' },
  ): Promise<Claims> {
    if (this.#questions.take(JSON.stringify([tenant, issuer])) > 0) throw new Error('too many questions')
    const credentials = [check.client, check.secret].map(formEncoded).join(':')
    const headers = { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
    const form = new URLSearchParams({ token, token_type_hint: 'access_token' })
    const { document } = await askForJson({ url: check.url, headers, form }, this.#rules)
    if (typeof document !== 'object' || document === null) throw new Error('not an introspection answer')
    if (JSON.stringify(document).length > introspectedCharsMax) throw new Error('the introspection answer is too long')
    return document as Claims
  }
}

/** RFC 6749 §2.3.1. */
const formEncoded = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+')

/** The `iss` that a JWT claims, unproven; undefined for a token that is no JWT; '' for a JWT that names none. */
export function issuerNamed(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token)
    return typeof iss === 'string' ? iss : ''
  } catch {
    return undefined
  }
}

function headerOf(token: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(token)
  } catch {
    return {}
  }
}
