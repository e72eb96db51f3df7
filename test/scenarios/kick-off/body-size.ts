import assert from 'node:assert/strict'
import { patientsMax, requestBytesMax } from '../../../src/protocol/limits.ts'
import { exported } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import { patient, put } from '../resources.ts'
import type { Scenario } from '../scenario.ts'

const crowd = (count: number) => Array.from({ length: count }, (_, index) => patientEntry(`Patient/crowd-${index}`))

/** T-13…T-16: how large a body may be. */
export const bodySizeScenarios: readonly Scenario[] = [
  {
    t: [13],
    rules: ['S-23'],
    does: `${patientsMax} patients`,
    outcome: '202, each once',
    run: async (suite) => {
      for (let from = 0; from < patientsMax; from += 10_000) {
        const ids = Array.from({ length: 10_000 }, (_, index) => `crowd-${from + index}`)
        await put(suite, ids.map(patient))
      }
      const change = { patients: crowd(patientsMax), parameters: [entry('_type', 'valueString', 'Patient')] }
      const found = await exported(suite, await suite.newCaller(), change)
      assert.equal(new Set(found.ids('Patient')).size, patientsMax)
      assert.equal(found.ids('Patient').length, patientsMax)
    },
  },
  {
    t: [14],
    rules: ['S-23'],
    does: `${patientsMax + 1} patients`,
    change: { patients: crowd(patientsMax + 1) },
    status: 400,
    code: 'invalid',
    fine: 'too-long',
    expression: `Parameters.parameter[${patientsMax}]`,
  },
  {
    t: [15],
    rules: ['S-21', 'S-23'],
    does: `${patientsMax + 1} entries of one patient`,
    change: { patients: Array(patientsMax + 1).fill(patientEntry('Patient/minimal')) },
    status: 400,
    code: 'invalid',
    fine: 'too-long',
    expression: `Parameters.parameter[${patientsMax}]`,
  },
  {
    t: [16],
    rules: ['§2.2'],
    does: 'a body over the size limit',
    change: { body: Buffer.alloc(requestBytesMax + 1, ' ') },
    status: 413,
    code: 'invalid',
    fine: 'too-long',
  },
  {
    t: [16],
    rules: ['§2.2'],
    does: 'a body over the size limit that does not tell its size',
    change: { headers: { 'transfer-encoding': 'chunked' }, body: Buffer.alloc(requestBytesMax + 1, ' ') },
    status: 413,
    code: 'invalid',
    fine: 'too-long',
  },
]
