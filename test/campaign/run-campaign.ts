/** `npm run campaign -- --seed S --rounds N [--only kinds]`: faults strike the running program, and nothing may be lost. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { play } from './campaign.ts'
import { report } from './campaign-report.ts'
import { type FaultKind, faultKinds, planFaults } from './fault-plan.ts'

const roundsDefault = '12'

const { values } = parseArgs({
  options: { seed: { type: 'string' }, rounds: { type: 'string', default: roundsDefault }, only: { type: 'string' } },
})
const seed = Number(values.seed ?? randomInt(2 ** 31))
const rounds = Number(values.rounds)
const kinds = values.only?.split(',') ?? faultKinds
const unknown = kinds.filter((kind) => !faultKinds.includes(kind as FaultKind))
if (!Number.isSafeInteger(seed) || !(rounds > 0) || unknown.length > 0) {
  console.error(`usage: npm run campaign -- [--seed number] [--rounds number] [--only ${faultKinds.join(',')}]`)
  process.exit(2)
}
const only = values.only === undefined ? '' : ` --only ${values.only}`
const command = `npm run campaign -- --seed ${seed} --rounds ${rounds}${only}`
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
console.log(command)
const tally = await play(planFaults(seed, rounds, kinds as FaultKind[]), seed, (line) => console.log(line))
console.log(report(tally, command))
process.exitCode = tally.violations.length === 0 ? 0 : 1
