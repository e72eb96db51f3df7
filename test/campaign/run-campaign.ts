/** `npm run campaign -- --seed S --rounds N [--only kinds]`: faults strike the running program, and nothing may be lost. */
import { CommanderError } from 'commander'
import { play } from './campaign.ts'
import { misuseExitCode, readCampaign } from './campaign-options.ts'
import { report } from './campaign-report.ts'
import { planFaults } from './fault-plan.ts'

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

try {
  const { seed, rounds, kinds, command } = readCampaign(process.argv.slice(2))
  console.log(command)
  const tally = await play(planFaults(seed, rounds, kinds), seed, (line) => console.log(line))
  console.log(report(tally, command))
  process.exitCode = tally.violations.length === 0 ? 0 : 1
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = misuseExitCode(error)
}
