import type { Exchange } from './exchange.ts'
import type { Change } from './scenario.ts'
import type { Caller, ScenarioSuite } from './suite.ts'

/** A patient that the tenants `clinic` and `commons` have, with nothing but itself. */
export const minimalPatient = 'minimal'

/** An entry of Parameters: `entry('_type', 'valueString', 'Condition')`. */
export const entry = (name: string, valueName: string, value: unknown) => ({ name, [valueName]: value })

/** An entry that names a patient by a reference. */
export const patientEntry = (reference: string) => entry('patient', 'valueReference', { reference })

/** A valid value for each parameter but `patient` that some profile has. */
export const everyParameter: Readonly<Record<string, object>> = {
  _type: entry('_type', 'valueString', 'Patient,Condition,Provenance'),
  _typeFilter: entry('_typeFilter', 'valueString', 'Condition?clinical-status=active'),
  includeAssociatedData: entry('includeAssociatedData', 'valueCode', 'LatestProvenanceResources'),
  _since: entry('_since', 'valueInstant', '2021-03-18T19:19:42Z'),
  _until: entry('_until', 'valueInstant', '2999-03-18T19:19:42Z'),
  _elements: entry('_elements', 'valueString', 'id'),
  organizeOutputBy: entry('organizeOutputBy', 'valueString', 'Patient'),
  allowPartialManifests: entry('allowPartialManifests', 'valueBoolean', false),
  _outputFormat: entry('_outputFormat', 'valueString', 'ndjson'),
}

/** The three headers that the operation's page requires besides `Authorization`. */
export const requiredHeaders = {
  accept: 'application/fhir+json',
  'content-type': 'application/fhir+json',
  prefer: 'respond-async',
} as const

/** The body of a kick-off with these entries. */
export const parametersBody = (parameter: readonly unknown[]): string =>
  JSON.stringify({ resourceType: 'Parameters', parameter })

/** The smallest valid kick-off of a caller, changed. */
export async function kickOffRequest(suite: ScenarioSuite, caller: Caller, change: Change = {}): Promise<Exchange> {
  const base = suite.base(change.to ?? caller.tenant)
  const authorization = change.authorization ? await change.authorization(suite, caller) : `Bearer ${caller.token}`
  const headers = { ...requiredHeaders, ...(authorization === undefined ? {} : { authorization }), ...change.headers }
  return {
    method: change.method ?? 'POST',
    url: `${base}${change.path ?? '/Patient/$export'}`,
    headers: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
    ),
    body: bodyOf(change, base),
  }
}

function bodyOf(change: Change, base: string): string | Buffer | undefined {
  const { body, patients = [patientEntry(`Patient/${minimalPatient}`)], parameters = [] } = change
  if (body === null) return undefined
  if (Buffer.isBuffer(body)) return body
  const text =
    typeof body === 'string'
      ? body
      : body === undefined
        ? parametersBody([...patients, ...parameters])
        : JSON.stringify(body)
  return text.replaceAll('{base}', base)
}
