import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { JWK } from 'jose'
import type { Pool } from 'pg'
import { addClient } from '../src/access/registry/client.ts'
import { generateClientKey } from '../src/access/registry/client-key.ts'
import { addTenant } from '../src/access/registry/tenant.ts'
import { requestToken } from '../src/client/session/token.ts'
import { storeId } from '../src/database/setting.ts'
import { openTestStore, type TestStore } from '../src/database/store.fixture.ts'
import type { ProfileName, ReferenceWalk } from '../src/protocol/profile.ts'
import { lastingToken } from './lasting-token.ts'

/** Far longer than a busy machine takes. */
const tokenMsMax = 60_000
const logPollMs = 20

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
/** How operators start it: with the Node of the clone, and what the program's memory needs. */
const launcher = fileURLToPath(new URL('../bin/millrace', import.meta.url))

/** A registered client with its private key. */
export interface TestClient {
  readonly tenant: string
  readonly id: string
  readonly key: JWK
}

/**
 * The real program on a temporary data directory: a child process, real HTTP, the embedded PostgreSQL. The test process joins the
 * same database, which therefore outlives a killed server as long as the test runs.
 */
export class TestServer {
  readonly database: TestStore
  url = ''
  /** Everything the server has logged. */
  log = ''
  /** Everything it has written for people. */
  messages = ''
  #process: ChildProcess | undefined

  private constructor(database: TestStore) {
    this.database = database
  }

  static async start(flags: readonly string[] = [], how: { readonly launched?: boolean } = {}): Promise<TestServer> {
    const server = new TestServer(await openTestStore())
    await server.spawn(flags, how)
    return server
  }

  get directory(): string {
    return this.database.directory
  }

  get pool(): Pool {
    return this.database.pool
  }

  /**
   * Starts the program, on the port it had before if it ran before. Resolves when it takes requests.
   * @param launched by `bin/millrace`
   * @param environment variables beside those of the test
   */
  async spawn(
    flags: readonly string[] = [],
    {
      launched = false,
      environment = {},
    }: { readonly launched?: boolean; readonly environment?: Readonly<Record<string, string>> } = {},
  ): Promise<void> {
    const port = this.url === '' ? '0' : new URL(this.url).port
    const [command, ...first] = launched ? [launcher] : [process.execPath, program]
    const arguments_ = [...first, 'serve', '--data', this.directory, '--port', port, ...flags]
    const env = { ...process.env, ...environment }
    const child = spawn(command, arguments_, { stdio: ['ignore', 'pipe', 'pipe'], env })
    this.#process = child
    child.stdout.on('data', (chunk) => {
      this.log += chunk
    })
    this.url = await new Promise((resolve, reject) => {
      let text = ''
      child.stderr.on('data', (chunk) => {
        text += chunk
        this.messages += chunk
        const match = /Millrace serves (\S+) /.exec(text)
        if (match) resolve(match[1]!)
      })
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${text}${this.log.slice(-2000)}`)))
    })
  }

  /** The number of the program's process. */
  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Sends the program a signal that does not end it. */
  signal(signal: 'SIGHUP'): void {
    this.#process?.kill(signal)
  }

  /** Ends the program with a signal and waits until it is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
  }

  /** Ends everything and removes the directory. */
  async stop(): Promise<void> {
    await this.kill('SIGTERM')
    await this.database.close()
  }

  async addTenant(
    id: string,
    profile: ProfileName = 'millennium',
    more: { readonly references?: ReferenceWalk; readonly strict?: boolean } = {},
  ): Promise<void> {
    await addTenant(this.pool, { id, profile, ...more })
  }

  async addClient(tenant: string, scope = 'system/*.read system/*.write'): Promise<TestClient> {
    const { privateKey, publicKey } = await generateClientKey('ES384')
    const keys = { jwks: { keys: [publicKey] } }
    const client = await addClient(this.pool, { tenant, name: 'test', scope, keys })
    return { tenant, id: client.id, key: privateKey }
  }

  /** Where it tells its metrics, with `--metrics`: the line of its start says so, which may come a moment later than it takes requests. */
  async metricsUrl(): Promise<string> {
    for (;;) {
      const [, url] = /"metrics":"([^"]+)"/.exec(this.log) ?? []
      if (url !== undefined) return url
      await pause(logPollMs)
    }
  }

  /** Where the server keeps the files of exports. */
  async filesFolder(): Promise<string> {
    return join(this.directory, 'files', await storeId(this.pool))
  }

  base(tenant: string): string {
    return `${this.url}/r4/${tenant}`
  }

  /** A bearer token of what the server's token endpoint grants, asked as any client would. It outlasts the test. */
  async token(client: TestClient, scope = 'system/*.read system/*.write'): Promise<string> {
    const signal = AbortSignal.timeout(tokenMsMax)
    const asked = { base: this.base(client.tenant), clientId: client.id, key: client.key, scope, signal }
    const { accessToken } = await requestToken(asked)
    return lastingToken(accessToken, this.pool, this.url)
  }
}
