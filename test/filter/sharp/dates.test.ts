import { describe } from 'node:test'
import { type Bodies, type Row, sharp, unknown } from './sharp.fixture.ts'

const onsets: Bodies = {
  year: { onsetDateTime: '2020' },
  month: { onsetDateTime: '2020-02' },
  day: { onsetDateTime: '2020-02-29' },
  second: { onsetDateTime: '2020-02-29T12:00:00Z' },
  ms: { onsetDateTime: '2020-02-29T12:00:00.500Z' },
  east: { onsetDateTime: '2020-03-01T00:30:00+14:00' },
  west: { onsetDateTime: '2020-02-29T23:30:00-05:00' },
  period: { onsetPeriod: { start: '2020-02-01', end: '2020-02-29' } },
  from: { onsetPeriod: { start: '2020-02-29' } },
  until: { onsetPeriod: { end: '2020-02-28' } },
  text: { onsetString: '2020-02-29' },
  none: {},
  unknown: { _onsetDateTime: unknown },
  endless: { onsetPeriod: { _start: unknown, _end: unknown } },
}

const intervals: readonly Row[] = [
  ['a year contains all of it', 'onset-date=2020', 'year month day second ms east west period'],
  ['eq is implied', 'onset-date=eq2020', 'year month day second ms east west period'],
  ['a month contains a period that fills it', 'onset-date=2020-02', 'month day second ms east period'],
  ['a leap day', 'onset-date=2020-02-29', 'day second ms east'],
  ['the day after', 'onset-date=2020-03-01', 'west'],
  ['a minute', 'onset-date=2020-02-29T12:00Z', 'second ms'],
  ['a second contains its fractions', 'onset-date=2020-02-29T12:00:00Z', 'second ms'],
  ['a tenth is shorter than a second', 'onset-date=2020-02-29T12:00:00.5Z', 'ms'],
  ['a hundredth', 'onset-date=2020-02-29T12:00:00.50Z', 'ms'],
  ['a millisecond', 'onset-date=2020-02-29T12:00:00.500Z', 'ms'],
  ['the next millisecond', 'onset-date=2020-02-29T12:00:00.501Z', ''],
  ['without a zone it is UTC', 'onset-date=2020-02-29T12:00:00', 'second ms'],
  ['the same instant in its own zone', 'onset-date=2020-02-29T23:30:00-05:00', 'west'],
  ['the same instant in UTC', 'onset-date=2020-03-01T04:30:00Z', 'west'],
  ['the same instant in a third zone', 'onset-date=2020-03-01T05:30%2B01:00', 'west'],
  ['the easternmost zone', 'onset-date=2020-02-29T10:30:00Z', 'east'],
  ['the local day does not count', 'onset-date=2020-02-29T23:30:00Z', ''],
  ['an encoded colon', 'onset-date=2020-02-29T12%3A00%3A00Z', 'second ms'],
  ['ne: not inside the day', 'onset-date=ne2020-02-29', 'year month west period from until'],
  ['ne needs a date', 'onset-date=ne1900', 'year month day second ms east west period from until'],
  ['gt: something after the day', 'onset-date=gt2020-02-29', 'year west from'],
  ['gt: an open end reaches everything', 'onset-date=gt2025', 'from'],
  ['ge: reaches the start of the day', 'onset-date=ge2020-02-29', 'year month day second ms east west period from'],
  [
    'ge: a period that ends the day before does not',
    'onset-date=ge2020-02-28',
    'year month day second ms east west period from until',
  ],
  ['lt: something before the day', 'onset-date=lt2020-02-29', 'year month period until'],
  ['lt: an open start is before everything', 'onset-date=lt1900', 'until'],
  ['le: reaches the end of the day', 'onset-date=le2020-02-29', 'year month day second ms east period from until'],
  ['le: at noon', 'onset-date=le2020-02-29T12:00:00Z', 'year month day second ms east period from until'],
  ['lt: at noon', 'onset-date=lt2020-02-29T12:00:00Z', 'year month day east period from until'],
  ['sa: starts after the day', 'onset-date=sa2020-02-28', 'day second ms east west from'],
  ['sa: not on the day', 'onset-date=sa2020-02-29', 'west'],
  ['eb: ends before the day', 'onset-date=eb2020-02-29', 'until'],
  ['eb: the last day of a period counts', 'onset-date=eb2020-03-01', 'month day second ms east period until'],
  ['eb: a year ends before the next', 'onset-date=eb2021', 'year month day second ms east west period until'],
  ['a list is or', 'onset-date=2020-03-01,2020-02-29', 'day second ms east west'],
  ['repeats are and', 'onset-date=ge2020-02-29&onset-date=lt2020-03-01', 'year month day second ms east period from'],
  ['a range that nothing meets', 'onset-date=sa2020-02-29&onset-date=eb2020-03-01', ''],
  ['extensions are no value', 'onset-date:missing=true', 'text none unknown endless'],
  ['and the rest has one', 'onset-date:missing=false', 'year month day second ms east west period from until'],
]

const close: readonly Row[] = [
  ['ap: a tenth of the 578 days to now', 'onset-date=ap2024-06-01', 'inside'],
  ['ap: today has no distance', 'onset-date=ap2026-01-01', 'today'],
  ['ap: a tenth of the 364 days from now', 'onset-date=ap2026-12-31', 'coming'],
]

const broken: Bodies = {
  words: { onsetDateTime: 'soon' },
  noDay: { onsetDateTime: '2019-02-29' },
  noMonth: { onsetDateTime: '2019-13' },
  number: { onsetDateTime: 2019 },
  zero: { onsetDateTime: '0000' },
  half: { onsetPeriod: { start: 'soon', end: '2019' } },
  first: { onsetDateTime: '0001-01-01' },
  last: { onsetDateTime: '9999-12-31' },
}

const limits: readonly Row[] = [
  ['what is no date never matches', 'onset-date=ge0001', 'first last'],
  ['not even ne', 'onset-date=ne2000', 'first last'],
  ['the last day of R4', 'onset-date=9999-12-31', 'last'],
  ['the last year', 'onset-date=9999', 'last'],
  ['the first year is not 1901', 'onset-date=lt0001-01-02', 'first'],
  ['but it is there', 'onset-date:missing=true', ''],
]

describe('dates are intervals', () => {
  sharp('Condition', onsets, intervals)
  sharp(
    'Condition',
    {
      inside: { onsetDateTime: '2024-04-10' },
      outside: { onsetDateTime: '2024-04-01' },
      today: { onsetDateTime: '2026-01-01' },
      coming: { onsetDateTime: '2027-02-01' },
      later: { onsetDateTime: '2027-03-01' },
    },
    close,
  )
  sharp('Condition', broken, limits)
})

describe('leap seconds and fractions', () => {
  sharp(
    'Observation',
    {
      leap: { effectiveDateTime: '2016-12-31T23:59:60Z' },
      next: { effectiveDateTime: '2017-01-01T00:00:00Z' },
      before: { effectiveDateTime: '2016-12-31T23:59:59Z' },
    },
    [
      ['a leap second is the second after it', 'date=2016-12-31T23:59:60Z', 'leap next'],
      ['in either way', 'date=2017-01-01T00:00:00Z', 'leap next'],
      ['so it is in the new year', 'date=2016', 'before'],
      ['with a zone', 'date=2016-12-31T18:59:60-05:00', 'leap next'],
      ['the minute before has 60 seconds', 'date=2016-12-31T23:59Z', 'before'],
    ],
  )
  sharp(
    'Observation',
    {
      micro: { effectiveDateTime: '2020-01-01T00:00:00.1234567Z' },
      milli: { effectiveDateTime: '2020-01-01T00:00:00.123Z' },
      nano: { effectiveDateTime: '2020-01-01T00:00:00.123456789012Z' },
    },
    [
      ['digits beyond milliseconds count', 'date=2020-01-01T00:00:00.123Z', 'micro milli nano', 'own'],
      ['to the nanosecond', 'date=2020-01-01T00:00:00.1234567Z', 'micro nano', 'own'],
      ['one more', 'date=2020-01-01T00:00:00.1234568Z', '', 'own'],
      ['gt', 'date=gt2020-01-01T00:00:00.1234567Z', 'milli', 'own'],
      ['lt', 'date=lt2020-01-01T00:00:00.123456789Z', 'micro milli', 'own'],
    ],
  )
})

describe('instants are points', () => {
  sharp(
    'DiagnosticReport',
    { whole: { issued: '2015-02-07T13:28:17Z' }, part: { issued: '2015-02-07T15:28:17.239+02:00' }, none: {} },
    [
      ['a second contains both', 'issued=2015-02-07T13:28:17Z', 'whole part'],
      ['a millisecond contains the whole second', 'issued=2015-02-07T13:28:17.000Z', 'whole'],
      ['and the fraction', 'issued=2015-02-07T13:28:17.239Z', 'part'],
      ['gt: nothing of it is after itself', 'issued=gt2015-02-07T13:28:17.000Z', 'part'],
      ['ge', 'issued=ge2015-02-07T13:28:17.239Z', 'part'],
      ['le', 'issued=le2015-02-07T13:28:17.000Z', 'whole'],
      ['sa', 'issued=sa2015-02-07T13:28:17.238Z', 'part'],
      ['eb', 'issued=eb2015-02-07T13:28:17.239Z', 'whole'],
    ],
  )
})

describe('Timing has outer limits', () => {
  const scheduled = (timing: object) => ({ activity: [{ detail: { scheduledTiming: timing } }] })
  sharp(
    'CarePlan',
    {
      events: scheduled({ event: ['2020-03-01', '2020-01-01'] }),
      bounds: scheduled({ repeat: { boundsPeriod: { start: '2020-01-01', end: '2020-03-01' } } }),
      open: scheduled({ repeat: { boundsPeriod: { start: '2020-02-01' } } }),
      both: scheduled({ event: ['2019-06-01'], repeat: { boundsPeriod: { start: '2020-01-01', end: '2020-01-31' } } }),
      length: scheduled({ repeat: { boundsDuration: { value: 3, unit: 'd' } } }),
      daily: scheduled({ repeat: { frequency: 1 } }),
      text: { activity: [{ detail: { scheduledString: '2020-02-01' } }] },
      later: { activity: [{ detail: { description: 'x' } }, { detail: { scheduledPeriod: { start: '2021' } } }] },
    },
    [
      ['days between events count', 'activity-date=ge2020-02-01&activity-date=le2020-02-28', 'events bounds open'],
      ['the first event', 'activity-date=lt2020-01-01', 'both'],
      ['the last event', 'activity-date=gt2020-02-29', 'events bounds open later'],
      ['inside the year', 'activity-date=2020', 'events bounds'],
      ['sa', 'activity-date=sa2020', 'later'],
      ['eb', 'activity-date=eb2020-02-01', 'both'],
      ['a schedule without dates has no limits, but is there', 'activity-date:missing=true', 'text'],
    ],
  )
})

describe('repeating and extended dates', () => {
  const due = (...dates: string[]) => ({ target: dates.map((date) => ({ dueDate: date })) })
  sharp(
    'Goal',
    {
      two: due('2020-01-15', '2020-12-15'),
      one: due('2020-06-15'),
      length: { target: [{ dueDuration: { value: 3 } }, { dueDate: '2020-03-01' }] },
      none: { target: [{ measure: { text: 'x' } }] },
    },
    [
      ['two targets do not confuse it (search-params §6)', 'target-date=2020-12-15', 'two'],
      ['each counts', 'target-date=le2020-01-31', 'two'],
      ['and conditions may be met by different targets', 'target-date=lt2020-02&target-date=gt2020-11', 'two'],
      ['durations are no dates', 'target-date=2020-03-01', 'length'],
      ['missing', 'target-date:missing=true', 'none'],
    ],
  )
  const asserted = 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate'
  sharp(
    'Condition',
    {
      asserted: {
        extension: [
          { url: 'http://x.example', valueDateTime: '2019' },
          { url: asserted, valueDateTime: '2020-05-01' },
        ],
      },
      other: { extension: [{ url: 'http://x.example', valueDateTime: '2020-05-01' }] },
      inside: { code: { extension: [{ url: asserted, valueDateTime: '2020-05-01' }] } },
    },
    [
      ['only the extension of that url', 'asserted-date=2020', 'asserted'],
      ['not another', 'asserted-date=2019', ''],
      ['missing', 'asserted-date:missing=true', 'other inside'],
    ],
  )
  const bounds = (...periods: object[]) => ({
    dosageInstruction: periods.map((boundsPeriod) => ({ timing: { repeat: { boundsPeriod } } })),
  })
  sharp(
    'MedicationRequest',
    {
      past: bounds({ start: '2019-01-01', end: '2019-02-01' }),
      current: bounds({ end: '2018' }, { start: '2019-01-01' }),
      none: bounds(),
    },
    [
      ["Oracle's own, past and present", '-timing-boundsPeriod=ge2019-01-15', 'past current'],
      ["Oracle's own, present", '-timing-boundsPeriod=ge2020-01-01T00:00:00Z', 'current'],
    ],
  )
})
