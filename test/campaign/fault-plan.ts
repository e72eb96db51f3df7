import { Random } from '../../src/population/random.ts'

/** Where a store lies: what a server starts by itself, a PostgreSQL that somebody else runs, or one with a synchronous standby. */
export const siteKinds = ['embedded', 'external', 'standby'] as const
export type SiteKind = (typeof siteKinds)[number]

/** What strikes, and what it may hit. */
export const faults = {
  kill: ['server', 'load', 'postmaster', 'backend', 'everything'],
  pause: ['server', 'database', 'server at the cut'],
  cut: ['break', 'stall', 'swallow', 'half-close', 'commit'],
  fill: ['files'],
  'fail-over': ['primary'],
  clock: ['back'],
} as const
export type FaultKind = keyof typeof faults
export const faultKinds = Object.keys(faults) as readonly FaultKind[]

/** One fault: `afterMs` from the beginning of its round, and for how long, where it passes. */
export interface Strike {
  readonly kind: FaultKind
  readonly target: string
  readonly afterMs: number
  readonly lastsMs: number
}

export interface PlannedRound {
  readonly number: number
  readonly strikes: readonly Strike[]
}

/** Rounds that share a store, one after the other. */
export interface PlannedRun {
  readonly site: SiteKind
  readonly servers: 1 | 2
  readonly rounds: readonly PlannedRound[]
}

/** A store is used for so many rounds; a standby can be promoted once. */
const roundsOfSite: Readonly<Record<SiteKind, number>> = { embedded: 4, external: 4, standby: 2 }
const strikesMax = 3
const strikeMsMin = 200
const strikeMsMax = 4_500
/** Most stalls are short; some are longer than every bound on requests. */
const briefMsMax = 3_000
const longMsMin = 9_000
const longMsMax = 22_000
const longChance = 0.2
/** A full disk stays full for less than the attempts of a partition take. */
const fullMsMax = 6_000

/** What needs a database that is reached over TCP. */
const needsLink = ({ kind, target }: Strike): boolean => kind === 'cut' || target === 'server at the cut'
/** What ends connections for all: one a round, because the embedded database is brought back five times a minute. */
const endsDatabase = ({ kind, target }: Strike): boolean =>
  kind === 'fail-over' || ['postmaster', 'backend', 'everything'].includes(target)

/** The faults of a campaign: the same seed, number of rounds and kinds give the same plan. */
export function planFaults(seed: number, rounds: number, kinds: readonly FaultKind[] = faultKinds): PlannedRun[] {
  const runs: PlannedRun[] = []
  for (let planned = 0; planned < rounds; ) {
    const random = new Random(seed, runs.length)
    const site = random.pick(siteKinds.filter((each) => kinds.some((kind) => isAt(each, kind))))
    const count = Math.min(roundsOfSite[site], rounds - planned)
    const first = planned + 1
    runs.push({
      site,
      servers: random.chance(0.5) ? 2 : 1,
      rounds: Array.from({ length: count }, (_, index) => ({
        number: first + index,
        strikes: planStrikes(random, site, kinds, index === count - 1),
      })),
    })
    planned += count
  }
  return runs
}

const isAt = (site: SiteKind, kind: FaultKind): boolean =>
  kind === 'fail-over' ? site === 'standby' : kind !== 'cut' || site !== 'embedded'

function planStrikes(random: Random, site: SiteKind, kinds: readonly FaultKind[], last: boolean): Strike[] {
  const strikes: Strike[] = []
  if (site === 'standby' && last && kinds.includes('fail-over')) strikes.push(strikeOf(random, 'fail-over', 'primary'))
  const rest = kinds.filter((kind) => kind !== 'fail-over' && isAt(site, kind))
  const count = rest.length === 0 ? strikes.length : random.integer(1, strikesMax)
  while (strikes.length < count) {
    const kind = random.pick(rest)
    const strike = strikeOf(random, kind, random.pick<string>(faults[kind]))
    if (goesWith(strike, strikes, site)) strikes.push(strike)
    else if (strikes.length > 0) break
  }
  return strikes.sort((a, b) => a.afterMs - b.afterMs)
}

/** A server that is limited in what it writes must not be the one that starts the database again. */
function goesWith(strike: Strike, others: readonly Strike[], site: SiteKind): boolean {
  if (site === 'embedded' && needsLink(strike)) return false
  // A standby copies the primary's log: to kill the primary's processes is what the fail-over does.
  if (site === 'standby' && (endsDatabase(strike) || strike.target === 'database')) return false
  const all = [...others, strike]
  if (all.filter(endsDatabase).length > 1) return false
  return !(all.some(({ kind }) => kind === 'fill') && all.some(endsDatabase))
}

function strikeOf(random: Random, kind: FaultKind, target: string): Strike {
  const long = kind !== 'fill' && random.chance(longChance)
  const lastsMs = long
    ? random.integer(longMsMin, longMsMax)
    : random.integer(strikeMsMin, kind === 'fill' ? fullMsMax : briefMsMax)
  return { kind, target, afterMs: random.integer(strikeMsMin, strikeMsMax), lastsMs }
}
