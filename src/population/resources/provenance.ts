import { hourMs, instant, localInstant, populationEnd } from '../calendar.ts'
import type { Chart, Entry } from '../chart.ts'
import { coding, concept, fixed, profile, reference, status, terminology } from '../datatypes.ts'
import { type Json, Raw, writeJson } from '../json.ts'
import type { Organization, Practitioner } from '../network.ts'
import { recordId } from '../record-ids.ts'
import type { Seat } from '../seat.ts'

const profiles = profile('provenance')
const activities = {
  CREATE: fixed({ coding: [coding(`${terminology}/v3-DataOperation`, 'CREATE', 'create')] }),
  UPDATE: fixed({ coding: [coding(`${terminology}/v3-DataOperation`, 'UPDATE', 'revise')] }),
}
const author = status(`${terminology}/provenance-participant-type`, 'author', 'Author')
const verifier = status(`${terminology}/provenance-participant-type`, 'verifier', 'Verifier')
const transmitter = status(
  'http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type',
  'transmitter',
  'Transmitter',
)
const attender = concept(`${terminology}/v3-ParticipationType`, 'ATND', 'attender')
const referral = concept(`${terminology}/v3-ActReason`, 'TREAT', 'treatment')

/** Shares of the ways in which records are described. */
const undescribedShare = 0.05
const togetherShare = 0.05
const versionedTargetShare = 0.05
const organizationTargetShare = 0.02
const twoPatientsShare = 0.08

interface Description {
  /** `Type/id`, or `Type/id/_history/n`. */
  readonly targets: readonly string[]
  readonly recorded: number
  readonly activity: keyof typeof activities
  readonly by: Practitioner
  readonly organization: Organization
}

/**
 * Writes the Provenances of a chart: one for most records, later ones for records that changed, a few over several records at
 * once, and rarely one over this patient and the one before. A few records have none.
 * @param from the first entry that is described
 */
export function writeProvenances(chart: Chart, previous: Seat | undefined, from = 0): void {
  const { random, entries, seat } = chart
  const thorough = seat.kind === 'page'
  for (let i = from; i < entries.length; i++) {
    const entry = entries[i]!
    if (!thorough && random.chance(undescribedShare)) continue
    if (!thorough && random.chance(togetherShare)) {
      const group = entries.slice(i, i + random.integer(2, 6))
      writeTogether(chart, group)
      i += group.length - 1
      continue
    }
    writeEach(chart, entry)
  }
  if (previous !== undefined && random.chance(twoPatientsShare)) writeOverTwo(chart, previous)
}

/** The first record of a seat's patient that surely exists. */
const firstRecord = ({ index, id, kind }: Seat): string =>
  kind === 'bare' ? `Patient/${id}` : `Encounter/${recordId(index, 1)}`

function writeEach(chart: Chart, entry: Entry): void {
  const { random } = chart
  const { created, changed, versions, by, organization } = entry
  const described = { by, organization }
  writeProvenance(chart, { ...described, targets: targets(chart, entry, 1), recorded: created, activity: 'CREATE' })
  for (let version = 2; version <= versions; version++) {
    const recorded = created + ((changed - created) * (version - 1)) / (versions - 1)
    const reviser = random.chance(0.5) ? by : random.pick(chart.home.practitioners)
    writeProvenance(chart, {
      ...described,
      targets: targets(chart, entry, version),
      recorded,
      activity: 'UPDATE',
      by: reviser,
    })
  }
}

function targets({ random }: Chart, { reference: target, organization }: Entry, version: number): readonly string[] {
  const cited = random.chance(versionedTargetShare) ? `${target}/_history/${version}` : target
  return random.chance(organizationTargetShare) ? [cited, `Organization/${organization.id}`] : [cited]
}

function writeTogether(chart: Chart, group: readonly Entry[]): void {
  const last = group.at(-1)!
  const recorded = Math.max(...group.map((entry) => entry.created))
  const all = group.map((entry) => entry.reference)
  writeProvenance(chart, { targets: all, recorded, activity: 'CREATE', by: last.by, organization: last.organization })
}

function writeOverTwo(chart: Chart, previous: Seat): void {
  const both = [firstRecord(chart.seat), firstRecord(previous)]
  const recorded = Math.min(chart.person.seenUntil + hourMs, populationEnd)
  const { doctor, home } = chart
  writeProvenance(chart, { targets: both, recorded, activity: 'UPDATE', by: doctor, organization: home.hospital })
}

/** Writes one Provenance. */
export function writeProvenance(
  chart: Chart,
  { targets: all, recorded, activity, by, organization }: Description,
): void {
  const { random, home } = chart
  const id = chart.nextId()
  const written = instant(recorded)
  const meta = new Raw(writeJson({ versionId: '1', lastUpdated: written, profile: profiles }))
  const { offsetHours } = chart.person.town
  const agents: Json[] = [
    { type: author, role: random.chance(0.1) ? [attender] : [], who: by.reference, onBehalfOf: organization.reference },
    { type: transmitter, who: organization.reference },
    random.chance(0.05) ? { type: verifier, who: random.pick(home.practitioners).reference } : undefined,
  ].filter((agent) => agent !== undefined)
  chart.put('Provenance', id, meta, {
    target: all.map((target) => reference(target)),
    recorded: random.chance(0.1) ? localInstant(recorded, offsetHours) : written,
    location: random.chance(0.02) ? home.locations[0]?.reference : undefined,
    reason: random.chance(0.1) ? [referral] : [],
    activity: activities[activity],
    agent: agents,
    entity: random.chance(0.04) ? [{ role: 'source', what: { display: 'Paper record, sent by post' } }] : [],
  })
}
