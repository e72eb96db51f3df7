import assert from 'node:assert/strict'
import { signAccessToken, type TokenHolder, tokenSecondsDefault } from '../../src/access/tokens/access-token.ts'
import { loadSigningKeys, type SigningKeys } from '../../src/access/tokens/signing-key.ts'
import { documentedTypes } from '../../src/fhir/resource-types.ts'
import { type Liveness, openLiveness } from '../../src/jobs/liveness.ts'
import { assertDocumented } from '../problem-reference.ts'
import { type TestClient, TestServer } from '../server.ts'
import { type Answer, closeConnections, type Exchange, exchange } from './exchange.ts'
import { OpenApiCheck } from './openapi-check.ts'
import { outcomeOf } from './outcome.ts'

/**
 * The tenants of the suite: `commons`, `village` and `hamlet` have the profile hl7, the others millennium; `textbook` is strict; `chain` follows
 * references of referenced records. What `village` holds is known to the last record, for exports of everything.
 */
export type SuiteTenant = 'clinic' | 'neighbour' | 'textbook' | 'commons' | 'village' | 'hamlet' | 'chain'

export const isHl7 = (tenant: SuiteTenant): boolean => ['commons', 'village', 'hamlet'].includes(tenant)

/** A registered client with a token. */
export interface Caller {
  readonly tenant: SuiteTenant
  readonly client: TestClient
  readonly token: string
}

/** Scopes of every type that is exported; a strict tenant grants no wildcards (D26). */
const everyScopeOf = (tenant: SuiteTenant): string =>
  tenant === 'textbook'
    ? documentedTypes.map((type) => `system/${type}.read system/${type}.write`).join(' ')
    : 'system/*.read system/*.write'

/** A worker number that nobody has: what it holds is given to others by the sweeper. */
const deadWorker = 0

const holdSql = `
  create table held_client (client text primary key);
  create function hold_job() returns trigger language plpgsql as $$
  begin
    if exists (select from held_client where client = new.client) then new.planner := WORKER; end if;
    return new;
  end $$;
  create trigger hold_job before insert on job for each row execute function hold_job()`

/** One running server with six tenants, on which all scenarios run. Every answer is checked for what all answers must have. */
export class ScenarioSuite {
  readonly server: TestServer
  readonly #worker: Liveness
  readonly #openApi: OpenApiCheck
  readonly #shared = new Map<string, Promise<Caller>>()

  private constructor(server: TestServer, worker: Liveness, openApi: OpenApiCheck) {
    this.server = server
    this.#worker = worker
    this.#openApi = openApi
  }

  static async open(): Promise<ScenarioSuite> {
    const server = await TestServer.start()
    await server.addTenant('clinic')
    await server.addTenant('neighbour')
    await server.addTenant('textbook', 'millennium', { strict: true })
    await server.addTenant('commons', 'hl7')
    await server.addTenant('village', 'hl7')
    await server.addTenant('hamlet', 'hl7')
    await server.addTenant('chain', 'millennium', { references: 'transitive' })
    const worker = await openLiveness(server.database.connection, () => {})
    await server.pool.query(holdSql.replace('WORKER', String(worker.worker)))
    const document = await exchange({ method: 'GET', url: `${server.url}/openapi.json`, headers: {} })
    return new ScenarioSuite(server, worker, new OpenApiCheck(JSON.parse(document.body.toString('utf8'))))
  }

  async close(): Promise<void> {
    closeConnections()
    await this.#worker.close()
    await this.server.stop()
  }

  base(tenant: string): string {
    return this.server.base(tenant)
  }

  /** A client of its own: it can have an export in progress without disturbing others (S-5). */
  async newCaller(tenant: SuiteTenant = 'clinic', scope = everyScopeOf(tenant)): Promise<Caller> {
    const client = await this.server.addClient(tenant, scope)
    return { tenant, client, token: await this.server.token(client, scope) }
  }

  /** A client for requests that start no export. */
  sharedCaller(tenant: SuiteTenant = 'clinic', scope = everyScopeOf(tenant)): Promise<Caller> {
    const key = `${tenant} ${scope}`
    const known = this.#shared.get(key) ?? this.newCaller(tenant, scope)
    this.#shared.set(key, known)
    return known
  }

  /** The same client with another token. */
  async withScope({ tenant, client }: Caller, scope: string): Promise<Caller> {
    return { tenant, client, token: await this.server.token(client, scope) }
  }

  /** A token that is signed as the server signs, for what its token endpoint never gives. */
  async signedToken(
    caller: Caller,
    holder: Partial<TokenHolder> = {},
    context: { readonly keys?: Partial<SigningKeys>; readonly publicUrl?: string; readonly now?: Date } = {},
  ): Promise<string> {
    const keys = { ...(await loadSigningKeys(this.server.pool)), ...context.keys }
    const { publicUrl = this.server.url, now = new Date() } = context
    const whole = { tenant: caller.tenant, client: caller.client.id, scopes: ['system/*.read'], ...holder }
    return signAccessToken(whole, { keys, publicUrl, now, tokenSeconds: tokenSecondsDefault })
  }

  /** From now on the exports of this client stay in progress: the suite poses as the worker that plans them. */
  async hold({ client }: Caller): Promise<void> {
    await this.server.pool.query('insert into held_client values ($1)', [client.id])
  }

  /** The client's export may go on. */
  async release({ client }: Caller): Promise<void> {
    await this.server.pool.query('delete from held_client where client = $1', [client.id])
    await this.server.pool.query(`update job set planner = $2 where client = $1 and state = 'accepted'`, [
      client.id,
      deadWorker,
    ])
  }

  /** Sends a request as it stands. */
  async send(request: Exchange): Promise<Answer> {
    const answer = await exchange(request)
    checkAnswer(answer)
    this.#openApi.check(request, answer)
    return answer
  }

  /** Sends a request of a caller; `url` may be a path under the FHIR base of its tenant. */
  ask(caller: Caller, method: string, url: string, more: Partial<Exchange> = {}): Promise<Answer> {
    return this.send({
      method,
      url: url.startsWith('/') ? `${this.base(caller.tenant)}${url}` : url,
      headers: { authorization: `Bearer ${caller.token}`, ...more.headers },
      body: more.body,
    })
  }
}

/** S-56, S-57, K10, K11 and RFC 9110: what every answer must have, whatever was asked. */
function checkAnswer(answer: Answer): void {
  const { status, headers } = answer
  assert.match(String(headers['x-request-id']), /^[\x21-\x7e]{8,}$/, 'T-191: X-Request-Id')
  assert.match(String(headers['opc-request-id']), /^[\x21-\x7e]{8,}$/, 'T-191: opc-request-id')
  if (status === 401) assert.match(String(headers['www-authenticate']), /^Bearer realm="[^"]+"/)
  if (status === 405) assert.match(String(headers.allow), /^[A-Z]+(, [A-Z]+)*$/)
  if (status === 429 || status === 503) assert.match(String(headers['retry-after']), /^[1-9]\d*$/)
  checkSecurityHeaders(answer)
  if (status < 400) return
  const severity = status >= 500 && status !== 503 ? 'fatal' : 'error'
  const issues = outcomeOf(answer)
  for (const issue of issues) assert.equal(issue.severity, severity)
  assertDocumented(status, issues)
}

/** No answer is kept by a cache or run by a browser, and none tells what the server is made of. */
export function checkSecurityHeaders({ headers }: Answer): void {
  assert.match(String(headers['content-security-policy']), /^default-src 'none'.*frame-ancestors 'none'/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.match(String(headers['cache-control']), /^(private, )?no-store$/)
  for (const name of ['server', 'x-powered-by', 'access-control-allow-credentials', 'set-cookie']) {
    assert.equal(headers[name], undefined, name)
  }
}
