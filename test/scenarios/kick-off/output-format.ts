import assert from 'node:assert/strict'
import { finishedManifest, startExport } from '../exported.ts'
import { entry } from '../kick-off.ts'
import type { RequestRow, Scenario } from '../scenario.ts'

const format = (value: unknown, name = 'valueString') => entry('_outputFormat', name, value)

const accepted = (value: string): Scenario => ({
  t: [120],
  rules: ['S-45', 'S-47', 'S-48'],
  does: `_outputFormat "${value}"`,
  outcome: '202, files are application/fhir+ndjson',
  run: async (suite) => {
    const caller = await suite.newCaller()
    const status = await startExport(suite, caller, { parameters: [format(value)] })
    const { output } = await finishedManifest(suite, caller, status)
    const redirect = await suite.ask(caller, 'GET', output[0]!.url)
    const content = await suite.send({ method: 'GET', url: String(redirect.headers.location), headers: {} })
    assert.match(String(content.headers['content-type']), /^application\/fhir\+ndjson(;|$)/)
  },
})

const refused = (value: unknown): RequestRow => ({
  t: [121],
  rules: ['S-47'],
  does: `_outputFormat ${JSON.stringify(value)}`,
  change: { parameters: [format(value)] },
  status: 400,
  code: 'invalid',
  fine: 'not-supported',
  expression: 'Parameters.parameter[1].valueString',
})

/** T-120…T-123: `_outputFormat`. */
export const outputFormatScenarios: readonly Scenario[] = [
  accepted('application/fhir+ndjson'),
  accepted('application/ndjson'),
  accepted('ndjson'),
  refused('application/fhir+json'),
  refused('text/csv'),
  refused('NDJSON'),
  refused(''),
  {
    t: [122],
    rules: ['S-46'],
    does: '_outputFormat as valueCode',
    change: { parameters: [format('ndjson', 'valueCode')] },
    status: 400,
    code: 'invalid',
    fine: 'structure',
    expression: 'Parameters.parameter[1].valueCode',
  },
  {
    t: [123],
    rules: ['O-10'],
    does: '_outputFormat twice',
    change: { parameters: [format('ndjson'), format('ndjson')] },
    status: 400,
    code: 'invalid',
    fine: 'structure',
    expression: 'Parameters.parameter[2]',
  },
]
