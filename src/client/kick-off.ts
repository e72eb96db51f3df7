import type { IncomingMessage } from 'node:http'
import { Failure } from '../failure.ts'
import { answerBytesMax } from './limits.ts'
import type { ExportOrder } from './order.ts'
import type { Run } from './run.ts'
import { isOutage } from './session/network-outage.ts'
import { explainAnswer } from './session/outcome.ts'
import type { Call } from './session/session.ts'
import { readText } from './session/transport.ts'

/**
 * The kick-off request of an order.
 * Patients: `POST Patient/$export` with a Parameters body, lists joined by commas, since Oracle allows each name once (protocol §2.3).
 * Group: `GET Group/{id}/$export`; `_typeFilter` is repeated, since a comma does not separate queries in the HL7 guide (K3).
 */
export function kickOffCall(base: URL, order: ExportOrder): Call {
  const headers = { accept: 'application/fhir+json', prefer: 'respond-async' }
  if ('group' in order.selection) {
    const url = under(base, `Group/${encodeURIComponent(order.selection.group)}/$export`)
    for (const [name, value] of groupParameters(order)) url.searchParams.append(name, value)
    return { method: 'GET', url, headers, token: 'same-origin' }
  }
  return {
    method: 'POST',
    url: under(base, 'Patient/$export'),
    headers: { ...headers, 'content-type': 'application/fhir+json' },
    body: JSON.stringify({
      resourceType: 'Parameters',
      parameter: patientParameters(order.selection.patients, order),
    }),
    token: 'same-origin',
  }
}

/**
 * Starts the export and returns the status URL. Never repeated by itself: a lost answer may hide a job that runs.
 * @throws Failure with what the server said when it is not 202
 */
export async function kickOff({ session, signal }: Run, base: URL, order: ExportOrder): Promise<URL> {
  const call = kickOffCall(base, order)
  const answer = await session.call(call).catch((error: unknown) => {
    if (signal.aborted || error instanceof Failure || !isOutage(error)) throw error
    throw new Failure(`${base.origin} could not be reached: ${error.message}`, 'Check --server and the network.', {
      cause: error,
    })
  })
  const { status, response } = answer
  const body = await readText(response, answerBytesMax)
  if (status !== 202) throw refusal(response, body)
  const location = response.headers['content-location'] ?? response.headers.location
  if (location === undefined || !URL.canParse(location, answer.url.href)) {
    throw new Failure(
      'The server accepted the export but named no status URL (Content-Location).',
      'This server does not follow the asynchronous pattern: ask its operator.',
    )
  }
  return new URL(location, answer.url)
}

function patientParameters(patients: readonly string[], order: ExportOrder): object[] {
  const parameters: object[] = patients.map((id) => ({
    name: 'patient',
    valueReference: { reference: `Patient/${id}` },
  }))
  const { types, typeFilters, since, includeAssociatedData } = order
  if (types.length > 0) parameters.push({ name: '_type', valueString: types.join(',') })
  if (typeFilters.length > 0) parameters.push({ name: '_typeFilter', valueString: typeFilters.join(',') })
  if (since !== undefined) parameters.push({ name: '_since', valueInstant: since })
  if (includeAssociatedData.length > 0) {
    parameters.push({ name: 'includeAssociatedData', valueCode: includeAssociatedData.join(',') })
  }
  return parameters
}

function groupParameters({ types, typeFilters, since, includeAssociatedData }: ExportOrder): [string, string][] {
  const parameters: [string, string][] = []
  if (types.length > 0) parameters.push(['_type', types.join(',')])
  for (const query of typeFilters) parameters.push(['_typeFilter', query])
  if (since !== undefined) parameters.push(['_since', since])
  if (includeAssociatedData.length > 0) parameters.push(['includeAssociatedData', includeAssociatedData.join(',')])
  return parameters
}

function under(base: URL, path: string): URL {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`
  return url
}

function refusal(response: IncomingMessage, body: string): Failure {
  const { statusCode: status = 0, headers } = response
  const retryAfter = headers['retry-after']
  const said = `The server refused the export: ${explainAnswer(response, body)}`
  if (status === 429) {
    const wait = retryAfter === undefined ? '' : ` (the server says Retry-After: ${retryAfter})`
    return new Failure(
      said,
      `A server runs one export of a client at a time. Wait until the running one ends${wait}, continue it from its own directory, or cancel it with DELETE on its status URL; then run the same command again.`,
    )
  }
  if (status === 401 || status === 403) {
    return new Failure(said, 'Check --client-id, --key and the scopes the client may ask for (--scope, --type).')
  }
  if (status >= 500) return new Failure(said, 'Run the same command again later.')
  return new Failure(said, 'Change the request, then run the command again.')
}
