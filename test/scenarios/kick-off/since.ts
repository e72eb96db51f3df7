import assert from 'node:assert/strict'
import { exported } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import { condition, encounter, patient, put, referenceTo } from '../resources.ts'
import type { RequestRow, Scenario } from '../scenario.ts'

const since = (value: unknown, name = 'valueInstant') => entry('_since', name, value)

const refused = (t: number, value: unknown, fine: 'structure' | 'value', name = 'valueInstant'): RequestRow => ({
  t: [t],
  rules: ['S-43'],
  does: `_since ${JSON.stringify(value)} as ${name}`,
  change: { parameters: [since(value, name)] },
  status: 400,
  code: 'invalid',
  fine,
  expression: `Parameters.parameter[1].${name}`,
})

const accepted = (value: string): RequestRow => ({
  t: [115],
  rules: ['S-44'],
  does: `_since "${value}"`,
  change: { parameters: [since(value)] },
  status: 202,
})

/** T-112…T-119: `_since`. */
export const sinceScenarios: readonly Scenario[] = [
  refused(112, '2021-03-18T19:19:42Z', 'structure', 'valueDateTime'),
  refused(112, '2021-03-18T19:19:42Z', 'structure', 'valueString'),
  refused(113, '2021-03-18', 'value'),
  refused(113, '2021-03-18T19:19Z', 'value'),
  refused(113, '2021-03-18T19:19:42', 'value'),
  refused(113, '2021-03-18T19:19:42+15:00', 'value'),
  refused(113, 1616095182000, 'value'),
  refused(114, '2021-02-30T00:00:00Z', 'value'),
  refused(114, '2021-13-01T00:00:00Z', 'value'),
  accepted('2021-03-18T19:19:42.000+02:00'),
  accepted('2021-03-18T19:19:42.123456789-14:00'),
  accepted('2016-12-31T23:59:60Z'),
  {
    t: [116, 117],
    rules: ['S-42', 'S-44'],
    does: '_since equal to a lastUpdated, just before it, in another zone, in the future',
    outcome: 'strictly later records only',
    run: async (suite) => {
      await put(suite, [patient('since'), condition('since-before', 'since')])
      const written = await put(suite, [condition('since-at', 'since')])
      await put(suite, [condition('since-after', 'since')])
      const at = written.get('Condition/since-at')!
      const later = (ms: number) => new Date(Date.parse(at) + ms).toISOString()
      const ids = async (value: string) => {
        const parameters = [entry('_type', 'valueString', 'Condition'), since(value)]
        const change = { patients: [patientEntry('Patient/since')], parameters }
        return (await exported(suite, await suite.newCaller(), change)).ids('Condition')
      }
      const [equal, before, zone, finer, future] = await Promise.all([
        ids(at),
        ids(later(-1)),
        ids(later(2 * 3_600_000).replace('Z', '+02:00')),
        ids(at.replace('Z', '999Z')),
        ids('2999-01-01T00:00:00Z'),
      ])
      assert.deepEqual(equal, ['since-after'], 'T-116: equal is not later')
      assert.deepEqual(before, ['since-after', 'since-at'])
      assert.deepEqual(zone, equal, 'S-44: the same moment in another zone')
      assert.deepEqual(finer, equal, 'a finer fraction is no earlier moment')
      assert.deepEqual(future, [], 'T-117')
    },
  },
  {
    t: [118],
    rules: ['S-42', '§4'],
    does: 'a Location older than _since, referenced by a new Encounter',
    outcome: 'it comes along',
    run: async (suite) => {
      const written = await put(suite, [
        patient('since-place'),
        { resourceType: 'Location', id: 'since-place', name: 'old' },
        { resourceType: 'Location', id: 'since-place-unused', name: 'of an old Encounter' },
        encounter('since-place-old', 'since-place', {
          location: [{ location: referenceTo('Location/since-place-unused') }],
        }),
      ])
      await put(suite, [
        encounter('since-place-new', 'since-place', { location: [{ location: referenceTo('Location/since-place') }] }),
      ])
      const parameters = [since(written.get('Location/since-place'))]
      const change = { patients: [patientEntry('Patient/since-place')], parameters }
      const found = await exported(suite, await suite.newCaller(), change)
      assert.deepEqual(found.types, ['Encounter', 'Location'])
      assert.deepEqual(found.ids('Encounter'), ['since-place-new'])
      assert.deepEqual(found.ids('Location'), ['since-place'])
    },
  },
  {
    t: [],
    rules: ['S-42', 'manifest'],
    does: 'the transactionTime of one export as _since of the next',
    outcome: 'exactly what changed in between',
    run: async (suite) => {
      await put(suite, [patient('chain'), condition('chain-old', 'chain')])
      const caller = await suite.newCaller()
      const patients = [patientEntry('Patient/chain')]
      const first = await exported(suite, caller, { patients })
      await put(suite, [condition('chain-new', 'chain')])
      const second = await exported(suite, caller, { patients, parameters: [since(first.manifest.transactionTime)] })
      assert.deepEqual([first.ids('Condition'), second.ids('Condition')], [['chain-old'], ['chain-new']])
      assert.deepEqual(second.types, ['Condition'])
    },
  },
  {
    t: [119],
    rules: ['O-10'],
    does: '_since twice',
    change: { parameters: [since('2021-03-18T19:19:42Z'), since('2021-03-18T19:19:42Z')] },
    status: 400,
    code: 'invalid',
    fine: 'structure',
    expression: 'Parameters.parameter[2]',
  },
]
