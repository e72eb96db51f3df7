import type { Fault } from '../fault.ts'
import { spanOf } from '../match/span.ts'
import type { Criterion, DateValue, Prefix, Value } from '../query.ts'

/** What Oracle documents about the values of a parameter, beyond its type (search-params §3). */
export interface DocumentedRule {
  /** Only these codes are supported. */
  readonly codes?: readonly string[]
  /** How often a date is given, and with which prefixes. */
  readonly dates?: 'ge and lt' | 'once or closed range' | 'ge once'
}

/** The parameters that Oracle documents, without the names it excludes: 20 of them. Device and Procedure have none. */
export const documented: Readonly<Record<string, Readonly<Record<string, DocumentedRule>>>> = {
  AllergyIntolerance: { 'clinical-status': {} },
  CarePlan: { category: { codes: ['assess-plan'] } },
  CareTeam: { category: { codes: ['longitudinal', 'encounter'] }, status: {} },
  Condition: { category: {}, 'clinical-status': {} },
  DiagnosticReport: { category: {}, code: {} },
  DocumentReference: { category: {}, period: { dates: 'ge and lt' }, type: {} },
  Encounter: { account: {}, status: {} },
  Goal: { 'target-date': { dates: 'once or closed range' } },
  Immunization: { 'target-disease': {} },
  MedicationRequest: { '-timing-boundsPeriod': { dates: 'ge once' }, intent: {}, status: {} },
  Observation: { category: {}, code: {} },
}

/** The rule of a documented parameter; undefined when Oracle documents no such parameter. */
export function documentedRule(type: string, code: string): DocumentedRule | undefined {
  const rules = Object.hasOwn(documented, type) ? documented[type]! : {}
  return Object.hasOwn(rules, code) ? rules[code] : undefined
}

const documentedPrefixes: readonly Prefix[] = ['eq', 'ge', 'gt', 'le', 'lt']

/** Checks one value against the rule of its parameter. */
export function checkDocumentedValue(value: Value, { codes }: DocumentedRule): Fault | undefined {
  if (value.kind === 'date' && !documentedPrefixes.includes(value.prefix)) {
    return { fault: `has the prefix ${value.prefix}, which is not supported`, allowed: documentedPrefixes.join(', ') }
  }
  if (codes === undefined || (value.kind === 'token' && value.code !== undefined && codes.includes(value.code))) {
    return undefined
  }
  return { fault: 'is not a supported code', allowed: codes.join(', '), code: 'code-invalid' }
}

/** Checks all criteria of a query that name the parameter of a rule. */
export function checkDocumentedDates(criteria: readonly Criterion[], { dates }: DocumentedRule): Fault | undefined {
  if (dates === undefined) return undefined
  const values = criteria.map((criterion) => ('values' in criterion ? criterion.values : []))
  const bounds = values.flat().filter((value) => value.kind === 'date')
  if (values.some(({ length }) => length > 1))
    return { fault: 'a list of dates is not supported', allowed: forms[dates] }
  return isDocumented[dates](bounds) ? undefined : { fault: 'the dates do not go together', allowed: forms[dates] }
}

const forms: Readonly<Record<NonNullable<DocumentedRule['dates']>, string>> = {
  'ge and lt': 'two dates of the same precision, the earlier with ge and the later with lt',
  'once or closed range': 'one date, or two as a closed range: the earlier with ge or gt, the later with le or lt',
  'ge once': 'one date with the prefix ge',
}

const isDocumented: Readonly<Record<keyof typeof forms, (dates: readonly DateValue[]) => boolean>> = {
  'ge and lt': (dates) =>
    isClosedRange(dates, ['ge'], ['lt']) && new Set(dates.map(({ date }) => precision(date))).size === 1,
  'once or closed range': (dates) => dates.length === 1 || isClosedRange(dates, ['ge', 'gt'], ['le', 'lt']),
  'ge once': ([first, ...more]) => more.length === 0 && first?.prefix === 'ge',
}

/** Two dates, one a lower bound and one an upper bound, with some time between them. */
function isClosedRange(dates: readonly DateValue[], below: readonly Prefix[], above: readonly Prefix[]): boolean {
  const lower = dates.find(({ prefix }) => below.includes(prefix))
  const upper = dates.find(({ prefix }) => above.includes(prefix))
  if (dates.length !== 2 || lower === undefined || upper === undefined) return false
  const from = lower.prefix === 'gt' ? spanOf(lower.date)!.to : spanOf(lower.date)!.from
  const to = upper.prefix === 'lt' ? spanOf(upper.date)!.from : spanOf(upper.date)!.to
  return from < to
}

/** How many digits a date has, its zone apart. */
const precision = (date: string): number => date.replace(/(?:Z|[+-]\d\d:\d\d)$/, '').replace(/\D/g, '').length
