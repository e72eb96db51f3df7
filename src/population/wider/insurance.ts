import { date, dateTime, dayMs, instant, yearMs } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, decimal, reference, status, terminology } from '../datatypes.ts'
import type { JsonObject, Raw } from '../json.ts'
import type { Visit } from '../resources/visit.ts'
import type { Seat } from '../seat.ts'
import { definition } from './type-definition.ts'

const insured = concept(`${terminology}/v3-ActCode`, 'EHCPOL', 'extended healthcare')
const self = status(`${terminology}/subscriber-relationship`, 'self')
const spouse = status(`${terminology}/subscriber-relationship`, 'spouse')
const professional = status(`${terminology}/claim-type`, 'professional')
const institutional = status(`${terminology}/claim-type`, 'institutional')
const normal = status(`${terminology}/processpriority`, 'normal')
const submitted = status(`${terminology}/adjudication`, 'submitted')
const benefit = status(`${terminology}/adjudication`, 'benefit')
const visitCode = concept('http://www.ama-assn.org/go/cpt', '99213', 'Office or other outpatient visit')

/** Shares of covers that are another patient's policy, of visits that are billed, and of claims that are answered. */
const familyShare = 0.15
const billedShare = 0.5
const answeredShare = 0.9

/** Writes the Coverage of a patient, Claims of some visits, and the ExplanationOfBenefit of most of them. */
export function writeInsurance(chart: Chart, previous: Seat | undefined, relatives: readonly string[]): void {
  const coverage = reference(writeCoverage(chart, previous, relatives))
  for (const [index, visit] of chart.visits.entries()) {
    if (!(chart.seat.kind === 'page' && index === 0) && !chart.random.chance(billedShare)) continue
    const bill = billOf(chart, visit, coverage)
    const claim = writeClaim(chart, visit, bill)
    if (chart.seat.kind === 'page' || chart.random.chance(answeredShare)) writeExplanation(chart, visit, bill, claim)
  }
}

function writeCoverage(chart: Chart, previous: Seat | undefined, relatives: readonly string[]): string {
  const { random, person, home, doctor, subject, subjectShown } = chart
  // Of a family: the policy is that of the patient before.
  const holder = previous !== undefined && random.chance(familyShare) ? reference(`Patient/${previous.id}`) : undefined
  const [relative] = relatives
  const subscriber = holder ?? (relative !== undefined && random.chance(0.3) ? reference(relative) : subject)
  const written = { at: person.seenFrom, by: doctor, organization: home.hospital }
  return chart.add('Coverage', chart.nextId(), written, definition('Coverage'), {
    status: person.died === undefined ? 'active' : 'cancelled',
    type: insured,
    policyHolder: holder,
    subscriber,
    subscriberId: `W${random.integer(100_000_000, 999_999_999)}`,
    beneficiary: subjectShown,
    relationship: subscriber === subject ? self : spouse,
    period: { start: date(person.seenFrom), end: person.died === undefined ? undefined : date(person.seenUntil) },
    payor: [chart.shared.authority.reference],
    class: [
      {
        type: status(`${terminology}/coverage-class`, 'plan'),
        value: `P-${random.integer(10, 99)}`,
        name: 'Standard plan',
      },
    ],
  })
}

/** What a Claim and its answer agree on. */
interface Bill {
  readonly created: string
  readonly price: Raw
  readonly paid: Raw
  readonly head: JsonObject
  readonly insurance: readonly JsonObject[]
  readonly item: JsonObject
}

const money = (value: Raw): JsonObject => ({ value, currency: 'USD' })

function billOf({ random, person, subjectShown }: Chart, visit: Visit, coverage: Raw): Bill {
  const price = random.integer(4_000, 90_000) / 100
  const period = {
    start: dateTime(visit.start, person.town.offsetHours),
    end: dateTime(visit.end, person.town.offsetHours),
  }
  return {
    created: instant(visit.end + random.integer(1, 10) * dayMs),
    price: decimal(price, 2),
    paid: decimal(price * 0.8, 2),
    head: {
      status: 'active',
      type: visit.kind.inpatient ? institutional : professional,
      use: 'claim',
      patient: subjectShown,
      billablePeriod: period,
    },
    insurance: [{ focal: true, coverage }],
    item: { sequence: 1, productOrService: visitCode, servicedPeriod: period, encounter: [visit.encounter] },
  }
}

function writeClaim(chart: Chart, visit: Visit, { created, price, head, insurance, item }: Bill): string {
  return chart.add('Claim', chart.nextId(), visit, definition('Claim'), {
    ...head,
    created,
    enterer: visit.by.reference,
    insurer: chart.shared.authority.reference,
    provider: visit.organization.reference,
    priority: normal,
    careTeam: [{ sequence: 1, provider: visit.by.reference, responsible: true }],
    insurance: insurance.map((of, index) => ({ sequence: index + 1, ...of })),
    item: [{ ...item, careTeamSequence: [1], unitPrice: money(price), net: money(price) }],
    total: money(price),
  })
}

function writeExplanation(
  chart: Chart,
  visit: Visit,
  { created, price, paid, head, insurance, item }: Bill,
  claim: string,
): void {
  const adjudication = [
    { category: submitted, amount: money(price) },
    { category: benefit, amount: money(paid) },
  ]
  const at = Math.min(visit.at + yearMs / 12, chart.person.seenUntil)
  chart.add('ExplanationOfBenefit', chart.nextId(), { ...visit, at }, definition('ExplanationOfBenefit'), {
    ...head,
    created,
    insurer: chart.shared.authority.reference,
    provider: visit.organization.reference,
    claim: reference(claim),
    outcome: 'complete',
    disposition: 'Claim settled as per contract.',
    insurance,
    item: [{ ...item, adjudication }],
    total: adjudication,
    payment: { date: date(at), amount: money(paid) },
  })
}
