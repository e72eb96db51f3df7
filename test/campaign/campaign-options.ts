import { randomInt } from 'node:crypto'
import { Command, type CommanderError, InvalidArgumentError } from 'commander'
import { type FaultKind, faultKinds } from './fault-plan.ts'

interface CampaignOptions {
  readonly seed: number
  readonly rounds: number
  readonly kinds: readonly FaultKind[]
  /** The command that plays the same. */
  readonly command: string
}

const roundsDefault = 12
const seedsMax = 2 ** 31

const help = `
A round takes about 20 s. A seed, a number of rounds and kinds always give the same faults. The exit code is 0 when everything held, 1 when
something did not, 2 when the command is not possible.

Examples:
  $ npm run campaign
  $ npm run campaign -- --seed 7 --rounds 90
  $ npm run campaign -- --only kill,pause`

/**
 * Reads the command line.
 * @throws CommanderError when it asks for help, or is not possible
 */
export function readCampaign(words: readonly string[]): CampaignOptions {
  const flags = new Command('npm run campaign --')
    .description('Strike the running program with faults, and compare what is left with a naive model.')
    .option('--seed <number>', 'which faults (default: a random one, which is printed)', parseSeed)
    .option('--rounds <count>', 'how many rounds', parseRounds, roundsDefault)
    .option('--only <kinds>', `some of ${faultKinds.join(',')} (default: all)`, parseKinds)
    .addHelpText('after', help)
    .showHelpAfterError('(add --help for what is allowed)')
    .allowExcessArguments(false)
    .exitOverride()
    .parse(words, { from: 'user' })
    .opts<{ seed?: number; rounds: number; only?: readonly FaultKind[] }>()
  const { seed = randomInt(seedsMax), rounds, only } = flags
  const kinds = only === undefined ? '' : ` --only ${only.join(',')}`
  const command = `npm run campaign -- --seed ${seed} --rounds ${rounds}${kinds}`
  return { seed, rounds, kinds: only ?? faultKinds, command }
}

/** What a command line that cannot be read ends with: nothing was tried, so nothing is known to be broken. */
export const misuseExitCode = ({ exitCode }: CommanderError): number => (exitCode === 0 ? 0 : 2)

function parseSeed(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('A seed is a whole number.')
}

function parseRounds(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Rounds are a whole number above 0.')
}

function parseKinds(text: string): readonly FaultKind[] {
  const kinds = text.split(',').map((kind) => kind.trim())
  const unknown = kinds.find((kind) => !(faultKinds as readonly string[]).includes(kind))
  if (unknown === undefined) return kinds as FaultKind[]
  throw new InvalidArgumentError(`There is no kind "${unknown}".`)
}
