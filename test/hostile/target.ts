import assert from 'node:assert/strict'
import { Agent, type OutgoingHttpHeaders, request } from 'node:http'
import { type Answer, exchange } from '../scenarios/exchange.ts'
import { finishedManifest, startExport } from '../scenarios/exported.ts'
import { entry, patientEntry } from '../scenarios/kick-off.ts'
import { condition, patient, put } from '../scenarios/resources.ts'
import { type Caller, checkSecurityHeaders, type ScenarioSuite } from '../scenarios/suite.ts'

/** What an attack is aimed at: a finished and a running export of one client, and who would like to have them. */
export interface Target {
  readonly suite: ScenarioSuite
  /** Whose they are. */
  readonly owner: Caller
  /** Another client of the same tenant, and a client of another tenant. */
  readonly stranger: Caller
  readonly foreigner: Caller
  /** Status URLs. */
  readonly finished: string
  readonly running: string
  /** A file of the finished export: its URL in the manifest, its signed link, and another file's URL. */
  readonly file: string
  readonly link: string
  readonly otherFile: string
}

/** One row of the attack table. */
export interface Attack {
  /** What would be lost if it succeeded. */
  readonly against: string
  readonly attack: string
  readonly run: (target: Target) => Promise<void>
}

/** Sets the scene on a running suite. */
export async function targetOn(suite: ScenarioSuite): Promise<Target> {
  await put(suite, [patient('victim'), condition('victim-1', 'victim'), condition('victim-2', 'victim')])
  const owner = await suite.newCaller()
  const parameters = [entry('_type', 'valueString', 'Condition,Patient')]
  const patients = [patientEntry('Patient/victim')]
  const finished = await startExport(suite, owner, { patients, parameters })
  const { output } = await finishedManifest(suite, owner, finished)
  const [file, otherFile] = output.map(({ url }) => url)
  assert.ok(file && otherFile)
  await suite.hold(owner)
  const running = await startExport(suite, owner, { patients, parameters })
  const link = String((await suite.ask(owner, 'GET', file)).headers.location)
  const stranger = await suite.newCaller('clinic')
  const foreigner = await suite.newCaller('neighbour')
  return { suite, owner, stranger, foreigner, finished, running, file, link, otherFile }
}

/** The owner still has everything: no attack has changed or ended anything. */
export async function assertUnharmed({ suite, owner, finished, running, file, link }: Target): Promise<void> {
  assert.equal((await suite.ask(owner, 'GET', finished)).status, 200)
  assert.equal((await suite.ask(owner, 'GET', running)).status, 202)
  assert.equal((await suite.ask(owner, 'GET', file)).status, 307)
  const content = await exchange({ method: 'GET', url: link, headers: {} })
  assert.equal(content.body.toString().trim().split('\n').length, 2)
}

export const bearer = ({ token }: Caller) => ({ authorization: `Bearer ${token}` })

const agent = new Agent({ keepAlive: true })

/** Sends a request whose path is not touched: no `..` is resolved, nothing is encoded. Every answer must have its security headers. */
export async function send(
  target: Target,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Answer> {
  const { hostname, port } = new URL(target.suite.server.url)
  const answer = await new Promise<Answer>((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers, agent }, async (response) => {
      const chunks = await response.toArray()
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
  checkSecurityHeaders(answer)
  return answer
}

/** Closes the connections that are kept open. */
export const closeAttackConnections = (): void => agent.destroy()

/** The URL of the same server, with another path. */
export const pathOf = (url: string): string => new URL(url).pathname + new URL(url).search

/** An answer without what differs between any two answers. */
export function anonymous({ status, headers, body }: Answer) {
  const { date: _date, 'x-request-id': _id, 'opc-request-id': _opc, ...rest } = headers
  return { status, headers: rest, body: body.toString() }
}
