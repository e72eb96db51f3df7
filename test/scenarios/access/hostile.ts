import assert from 'node:assert/strict'
import type { IssueCode } from '../../../src/fhir/operation-outcome.ts'
import { entriesMax, issuesMax, patientsMax, requestJson } from '../../../src/protocol/limits.ts'
import { findingsMax } from '../../../src/protocol/request/findings.ts'
import { exportedBy, startExport } from '../exported.ts'
import { entry, kickOffRequest, parametersBody, patientEntry } from '../kick-off.ts'
import { outcomeOf } from '../outcome.ts'
import type { Change, RequestRow, Scenario } from '../scenario.ts'
import type { ScenarioSuite } from '../suite.ts'

const minimal = JSON.stringify(patientEntry('Patient/minimal'))
const lenient = { prefer: 'respond-async, handling=lenient' }

/** A Parameters resource with one more member, which no server looks at. */
const withMember = (member: string): string => `{"resourceType":"Parameters","parameter":[${minimal}],${member}}`

/** A member whose value nests as deep as the whole body then does. */
const nested = (levels: number): string => withMember(`"x":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}`)

/** A body with that many values: 3 braces and brackets of the entry, the two of the resource and parameter, and the commas. */
const valued = (count: number): string => {
  const other = withMember('"x":[1]').match(/[[{,]/g)!.length
  return withMember(`"x":[1${',1'.repeat(count - other)}]`)
}

const body = (does: string, text: string, status: 202 | 400, fine?: IssueCode): RequestRow => ({
  t: [],
  rules: ['S-19'],
  does,
  change: { body: text },
  status,
  ...(fine === undefined ? {} : { code: 'invalid', fine }),
})

const wrongPatients = (count: number): Change => ({ patients: Array(count).fill(patientEntry('nobody')) })
const ignored = (count: number): Change => ({
  headers: lenient,
  parameters: Array.from({ length: count }, (_, index) => entry(`ignored-${index}`, 'valueString', 'x')),
})

/** What is told of `count` problems. */
async function toldOf(suite: ScenarioSuite, count: number): Promise<string[]> {
  const answer = await suite.send(await kickOffRequest(suite, await suite.sharedCaller(), wrongPatients(count)))
  assert.equal(answer.status, 400)
  return outcomeOf(answer).map(({ details }) => details.text)
}

/** Bodies that want to do harm: a clear answer that costs little. */
export const hostileScenarios: readonly Scenario[] = [
  body(`JSON ${requestJson.depthMax} levels deep`, nested(requestJson.depthMax), 202),
  body(`JSON ${requestJson.depthMax + 1} levels deep`, nested(requestJson.depthMax + 1), 400, 'structure'),
  body('JSON 1,000 levels deep', nested(1_000), 400, 'structure'),
  body('objects that nest a million deep and never end', '{"a":'.repeat(1_000_000), 400, 'structure'),
  body(`a body with ${requestJson.valuesMax} values`, valued(requestJson.valuesMax), 202),
  body(`a body with ${requestJson.valuesMax + 1} values`, valued(requestJson.valuesMax + 1), 400, 'too-long'),
  body('five million empty entries', withMember(`"x":[${'{},'.repeat(5_000_000)}{}]`), 400, 'too-long'),
  body('a name of 10 MB', parametersBody([{ name: 'x'.repeat(10_000_000), valueString: 'y' }]), 400, 'not-supported'),
  body('a member of 10 MB', withMember(`"${'x'.repeat(10_000_000)}":1`), 202),
  body(
    'a _type of 10 MB',
    parametersBody([patientEntry('Patient/minimal'), entry('_type', 'valueString', 'Patient,'.repeat(1_250_000))]),
    400,
    'too-long',
  ),
  body('__proto__ as a member, which is a member as any other', withMember('"__proto__":{"parameter":[]}'), 202),
  body('__proto__ twice', withMember('"__proto__":1,"__proto__":2'), 400, 'structure'),
  body(
    '__proto__ in place of the members of an entry',
    `{"resourceType":"Parameters","parameter":[{"__proto__":${minimal}}]}`,
    400,
    'required',
  ),
  ...['constructor', 'toString', 'hasOwnProperty'].map((name) =>
    body(
      `a parameter named ${name}`,
      parametersBody([patientEntry('Patient/minimal'), entry(name, 'valueString', 'x')]),
      400,
      'not-supported',
    ),
  ),
  {
    t: [],
    rules: ['S-19', 'S-23'],
    does: `${entriesMax} entries`,
    change: { patients: Array(entriesMax).fill(patientEntry('Patient/minimal')) },
    status: 400,
    code: 'invalid',
    fine: 'too-long',
    expression: `Parameters.parameter[${patientsMax}]`,
  },
  {
    t: [],
    rules: ['S-19', 'S-23'],
    does: `${entriesMax + 1} entries`,
    change: { patients: Array(entriesMax + 1).fill(patientEntry('Patient/minimal')) },
    status: 400,
    code: 'invalid',
    fine: 'too-long',
    expression: 'Parameters.parameter',
  },
  {
    t: [],
    rules: ['§2.6'],
    does: 'a body that is not UTF-8 and a wrong Accept: Accept is checked first',
    change: { headers: { accept: 'text/html' }, body: Buffer.from([0x7b, 0xff]) },
    status: 406,
    code: 'invalid',
    fine: 'not-supported',
  },
  {
    t: [],
    rules: ['§8.3'],
    does: `${issuesMax}, ${issuesMax + 1} and 19,000 problems`,
    outcome: `${issuesMax} are listed, the rest counted`,
    run: async (suite) => {
      assert.equal((await toldOf(suite, issuesMax)).length, issuesMax)
      const oneMore = await toldOf(suite, issuesMax + 1)
      assert.deepEqual([oneMore.length, oneMore.at(-1)], [issuesMax + 1, '1 more issues are not listed.'])
      const many = await toldOf(suite, 19_000)
      assert.deepEqual([many.length, many.at(-1)], [issuesMax + 1, `${19_000 - issuesMax} more issues are not listed.`])
    },
  },
  {
    t: [],
    rules: ['S-13', 'K12'],
    does: `${findingsMax} and ${findingsMax + 1} ignored parameters`,
    outcome: 'each is a warning in the error file; what is beyond is counted',
    run: async (suite) => {
      for (const [count, more] of [
        [findingsMax, undefined],
        [findingsMax + 1, '1 more'],
      ] as const) {
        const caller = await suite.newCaller()
        const { errors } = await exportedBy(suite, caller, await startExport(suite, caller, ignored(count)))
        assert.equal(errors.length, findingsMax + (more === undefined ? 0 : 1))
        assert.ok(errors.every(({ severity }) => severity === 'warning'))
        if (more !== undefined) assert.equal(errors.at(-1)?.diagnostics, more)
      }
    },
  },
]
