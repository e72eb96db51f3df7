import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { discoveryScenarios } from './access/discovery.ts'
import { granularScenarios } from './access/granular.ts'
import { hostileScenarios } from './access/hostile.ts'
import { tokenScenarios } from './access/tokens.ts'
import { attachmentScenarios } from './hl7/hl7-attachments.ts'
import { compartmentScenarios } from './hl7/hl7-compartment.ts'
import { deletionScenarios } from './hl7/hl7-deletions.ts'
import { levelScenarios } from './hl7/hl7-levels.ts'
import { outputScenarios } from './hl7/hl7-output.ts'
import { scopeScenarios } from './hl7/hl7-scopes.ts'
import { associatedDataScenarios } from './kick-off/associated-data.ts'
import { bodyScenarios } from './kick-off/body.ts'
import { bodySizeScenarios } from './kick-off/body-size.ts'
import { concurrencyScenarios } from './kick-off/concurrency.ts'
import { groupScenarios } from './kick-off/group.ts'
import { headerScenarios } from './kick-off/headers.ts'
import { lenientScenarios } from './kick-off/lenient.ts'
import { outputFormatScenarios } from './kick-off/output-format.ts'
import { patientScenarios } from './kick-off/patients.ts'
import { sinceScenarios } from './kick-off/since.ts'
import { strictScenarios } from './kick-off/strict.ts'
import { typeFilterScenarios } from './kick-off/type-filter.ts'
import { typeScenarios } from './kick-off/types.ts'
import { minimalPatient } from './kick-off.ts'
import { rowsProvenElsewhere } from './proven-elsewhere.ts'
import { bundleScenarios } from './records/bundles.ts'
import { conditionalScenarios } from './records/conditional.ts'
import { crudScenarios } from './records/crud.ts'
import { identityScenarios } from './records/identities.ts'
import { textScenarios } from './records/text.ts'
import { runRequestRow } from './request-row.ts'
import { patient, put } from './resources.ts'
import { fileScenarios } from './results/files.ts'
import { pollingScenarios } from './results/polling.ts'
import { referencedScenarios } from './results/referenced.ts'
import { statusScenarios } from './results/status.ts'
import { rowIn, type Scenario, type Served, servedIn, titleOf } from './scenario.ts'
import { seedRules } from './seed-rules.ts'
import { ScenarioSuite } from './suite.ts'

const tables: Readonly<Record<string, readonly Scenario[]>> = {
  body: bodyScenarios,
  'size of the body': bodySizeScenarios,
  patients: patientScenarios,
  'types and scopes': typeScenarios,
  'granular scopes': granularScenarios,
  'associated data': associatedDataScenarios,
  since: sinceScenarios,
  'output format': outputFormatScenarios,
  'lenient handling': lenientScenarios,
  'headers and methods': headerScenarios,
  'hostile requests': hostileScenarios,
  concurrency: concurrencyScenarios,
  'status and delete': statusScenarios,
  polling: pollingScenarios,
  files: fileScenarios,
  'referenced records': referencedScenarios,
  'odd text': textScenarios,
  _typeFilter: typeFilterScenarios,
  'strict tenants': strictScenarios,
  'Group export': groupScenarios,
  'hl7: attachments': underHl7(attachmentScenarios),
  'hl7: whose records': underHl7(compartmentScenarios),
  'hl7: levels of export': underHl7(levelScenarios),
  'hl7: shape of the output': underHl7(outputScenarios),
  'hl7: deletions': underHl7(deletionScenarios),
  'hl7: scopes, status and discovery': underHl7(scopeScenarios),
  discovery: discoveryScenarios,
  tokens: tokenScenarios,
  'read and write': crudScenarios,
  bundles: bundleScenarios,
  'who is who in a Bundle': identityScenarios,
  'conditional requests': conditionalScenarios,
}

function underHl7(rows: readonly Scenario[]): Scenario[] {
  return rows.map((row) => ({ ...row, profile: 'hl7' }))
}

/** Scenarios of one table that run at the same time on the one server. */
const concurrency = 4

/** Rows of protocol §15. */
const rowsMax = 196

/** The rows of protocol §15 that have passed, by how the tenant was served. */
const passed: Readonly<Record<Served, Set<number>>> = { millennium: new Set(), strict: new Set(), hl7: new Set() }

let suite: ScenarioSuite
before(async () => {
  suite = await ScenarioSuite.open()
  await put(suite, [patient(minimalPatient)])
  await put(suite, [patient(minimalPatient)], 'textbook')
  await put(suite, [patient(minimalPatient)], 'commons')
})
after(() => suite.close())

for (const [topic, rows] of Object.entries(tables)) {
  describe(topic, { concurrency }, () => {
    for (const row of rows) {
      for (const served of servedIn(row)) {
        const shown = 'run' in row ? row : rowIn(row, served)
        test(titleOf(shown, 'run' in row ? undefined : served), () => run(shown, served))
      }
    }
  })
}

async function run(row: Scenario, served: Served): Promise<void> {
  await ('run' in row ? row.run(suite) : runRequestRow(suite, row, served))
  for (const t of row.t) passed[served].add(t)
}

test('every row of protocol §15 is run or proven elsewhere', (context) => {
  const all = Object.values(tables).flat()
  const ran = new Set(all.flatMap(({ t }) => t))
  const elsewhere = new Set(rowsProvenElsewhere.flatMap(({ from, to }) => numbers(from, to)))
  const missing = numbers(1, rowsMax).filter((row) => !ran.has(row) && !elsewhere.has(row))
  assert.deepEqual(missing, [], 'neither run nor listed')
  assert.deepEqual(
    [...elsewhere].filter((row) => ran.has(row)),
    [],
    'listed as proven elsewhere, but run',
  )
  context.diagnostic(`${ran.size} of ${rowsMax} T-rows ran; ${elsewhere.size} proven elsewhere`)
  for (const { from, to, what, where } of rowsProvenElsewhere) {
    context.diagnostic(`T-${from}${to > from ? `…T-${to}` : ''} ${what} (${where})`)
  }
})

test('every rule of the page is proven by a row that cites it', (context) => {
  assert.deepEqual(
    seedRules.map(({ s }) => s),
    numbers(1, 60),
  )
  const unproven = seedRules.filter(
    ({ s, provenIn }) => provenIn !== undefined && !tables[provenIn]?.some(({ rules }) => rules.includes(`S-${s}`)),
  )
  assert.deepEqual(unproven, [])
  const known = new Set(seedRules.map(({ s }) => `S-${s}`))
  const cited = new Set(Object.values(tables).flatMap((rows) => rows.flatMap(({ rules }) => rules)))
  assert.deepEqual(
    [...cited].filter((rule) => rule.startsWith('S-') && !known.has(rule)),
    [],
  )
  for (const { s, says, provenIn } of seedRules) context.diagnostic(`S-${s} ${says}: ${provenIn ?? 'nothing to test'}`)
})

test('the rows that passed', (context) => {
  const counts = Object.entries(passed).map(([served, rows]) => `${served}: ${rows.size} rows`)
  context.diagnostic(counts.join(', '))
  const missing = new Set(
    Object.values(tables)
      .flat()
      .flatMap((row) => servedIn(row).flatMap((served) => row.t.filter((t) => !passed[served].has(t)))),
  )
  assert.deepEqual([...missing], [])
})

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)
