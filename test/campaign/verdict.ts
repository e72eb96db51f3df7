import { Model } from '../simulation/model.ts'
import type { FinishedExport } from './exporter.ts'
import type { Version } from './history.ts'
import { type Attempt, type Ledger, markerOf } from './ledger.ts'
import type { Tally } from './tally.ts'

/** What a tenant's store has had and has, after a round. */
export interface Found {
  readonly history: readonly Version[]
  readonly current: ReadonlyMap<string, { readonly version: number; readonly body: string | null }>
}

const keyOf = ({ type, id }: { type: string; id: string }): string => `${type}/${id}`

/** Compares what is stored with what its authors were told. @returns the naive model of it */
export function judgeWrites(ledger: Ledger, { history, current }: Found, tally: Tally): Model {
  const model = new Model('https://fhir.example.org/r4/campaign')
  const byMarker = new Map<string, Version>()
  for (const version of history) judgeVersion(ledger, version, byMarker, model, tally)
  judgeOrder(history, current, tally)
  for (const attempt of ledger.attempts.values()) judgeAttempt(attempt, byMarker.get(attempt.marker), tally)
  judgeBundles(ledger, byMarker, tally)
  judgeDeletions(ledger, history, tally)
  return model
}

/** Each version is what somebody wrote, to the letter, and nobody's write is there twice. */
function judgeVersion(
  ledger: Ledger,
  found: Version,
  byMarker: Map<string, Version>,
  model: Model,
  tally: Tally,
): void {
  const { type, id, version, written, updated, body } = found
  if (body === null) {
    model.add({ type, id, version, written, record: undefined })
    return
  }
  const attempt = ledger.attempts.get(markerOf(body) ?? '')
  if (!attempt || attempt.type !== type || (attempt.id ?? id) !== id) {
    tally.violation(`${keyOf(found)} version ${version} was written by nobody: ${body.slice(0, 200)}`)
    return
  }
  const record = attempt.text(id)
  if (record.text(version, updated) !== body) {
    tally.violation(`${keyOf(found)} version ${version} is ${body}, not ${record.text(version, updated)}`)
  }
  if (byMarker.has(attempt.marker)) tally.violation(`${attempt.marker} was applied twice: ${keyOf(found)} ${version}`)
  byMarker.set(attempt.marker, found)
  model.add({ type, id, version, written, record })
}

/** Versions of a record follow one another without a gap, their times go on, and the last one is the current one. */
function judgeOrder(history: readonly Version[], current: Found['current'], tally: Tally): void {
  for (const [key, versions] of Map.groupBy(history, keyOf)) {
    for (const [index, { version, written }] of versions.entries()) {
      if (version !== index + 1) tally.violation(`${key} has version ${version} in place of ${index + 1}`)
      if (index > 0 && written <= versions[index - 1]!.written - 1)
        tally.violation(`${key} ${version} is older than the one before`)
    }
    const last = versions.at(-1)!
    const now = current.get(key)
    if (now?.version !== last.version || now.body !== last.body) {
      tally.violation(`${key} is at version ${now?.version}, not ${last.version}`)
    }
  }
  const never = [...current.keys()].filter((key) => !history.some((version) => keyOf(version) === key))
  if (never.length > 0) tally.violation(`without a history: ${never}`)
}

function judgeAttempt({ marker, outcome, answered }: Attempt, found: Version | undefined, tally: Tally): void {
  if (outcome === 'unknown') {
    tally.counts.unknownWrites += 1
    if (found) tally.counts.unknownThatTookEffect += 1
    return
  }
  if (outcome === 'refused') {
    if (found) tally.violation(`${marker} was refused but is there: ${keyOf(found)} ${found.version}`)
    return
  }
  tally.counts.acknowledgedWrites += 1
  const right =
    found !== undefined &&
    found.id === answered?.id &&
    found.version === answered.version &&
    (answered.text === undefined || answered.text === found.body)
  if (right) return
  tally.counts.lostWrites += 1
  tally.violation(`${marker} was acknowledged as ${JSON.stringify(answered)}, but is ${JSON.stringify(found)}`)
}

function judgeBundles({ attempts }: Ledger, byMarker: ReadonlyMap<string, Version>, tally: Tally): void {
  const bundles = Map.groupBy([...attempts.values()], ({ bundle }) => bundle)
  for (const [bundle, members] of bundles) {
    const there = members.filter(({ marker }) => byMarker.has(marker)).length
    if (bundle === undefined || there === 0 || there === members.length) continue
    tally.violation(`${bundle} was applied in part: ${there} of ${members.length}`)
  }
}

function judgeDeletions({ deletions }: Ledger, history: readonly Version[], tally: Tally): void {
  const tombstones = new Map(
    history.filter(({ body }) => body === null).map((each) => [`${keyOf(each)} ${each.version}`, each]),
  )
  for (const { key, outcome, version } of deletions) {
    if (outcome === 'unknown') tally.counts.unknownWrites += 1
    if (outcome !== 'acknowledged') continue
    tally.counts.acknowledgedWrites += 1
    if (version === undefined || tombstones.has(`${key} ${version}`)) continue
    tally.counts.lostWrites += 1
    tally.violation(`the deletion of ${key} was acknowledged, but there is no version ${version} that is one`)
  }
  for (const [key, found] of Map.groupBy(tombstones.values(), keyOf)) {
    const tried = deletions.filter((each) => each.key === key && each.outcome !== 'refused').length
    if (found.length > tried) tally.violation(`${key} was deleted ${found.length} times, asked ${tried} times`)
  }
}

/** An export is exactly the state as of its transactionTime, each record once, to the letter. */
export function judgeExport(model: Model, { request, time, job, lines, errors }: FinishedExport, tally: Tally): void {
  tally.counts.exports += 1
  tally.counts.exportedLines += lines.length
  const expected = model.expectedExport(request, time)
  const given = new Map<string, number>()
  for (const line of lines) given.set(line, (given.get(line) ?? 0) + 1)
  const wanted = new Set(expected.lines.values())
  const missing = [...wanted].filter((line) => !given.has(line))
  const added = [...given.keys()].filter((line) => !wanted.has(line))
  const twice = [...given].filter(([, count]) => count > 1).map(([line]) => line)
  for (const [what, which] of [
    ['missing', missing],
    ['wrong', added],
    ['twice', twice],
  ] as const) {
    if (which.length === 0) continue
    tally.counts.wrongLines += which.length
    tally.violation(`${job} as of ${new Date(time).toISOString()}: ${which.length} ${what}, as ${which[0]}`)
  }
  const told = errors.flatMap((line) =>
    (JSON.parse(line) as { issue: { diagnostics: string }[] }).issue.map(({ diagnostics }) => diagnostics),
  )
  if (told.sort().join() !== [...expected.unresolved].sort().join()) {
    tally.violation(`${job} tells open references ${told}, not ${[...expected.unresolved]}`)
  }
}
