import { describe } from 'node:test'
import { type Bodies, type Row, sharp, unknown } from './sharp.fixture.ts'

const ucum = 'http://unitsofmeasure.org'
const mg = (value: number, more = {}) => ({
  valueQuantity: { value, unit: 'milligram', system: ucum, code: 'mg', ...more },
})

const values: Bodies = {
  low: mg(5.35),
  below: mg(5.3499999),
  middle: mg(5.4),
  high: mg(5.45),
  zero: mg(0),
  negative: mg(-5.4),
  hundred: mg(100),
  ninety: mg(95),
  gram: { valueQuantity: { value: 5.4, unit: 'g', system: ucum, code: 'g' } },
  plain: { valueQuantity: { value: 5.4, unit: 'mg' } },
  valueless: { valueQuantity: { unit: 'mg', system: ucum, code: 'mg', _value: unknown } },
  words: { valueString: '5.4' },
  none: { dataAbsentReason: { coding: [{ code: 'unknown' }] } },
}

const numbers: readonly Row[] = [
  ['half a unit of the last digit, the upper end out', 'value-quantity=5.4', 'low middle gram plain'],
  ['one more digit', 'value-quantity=5.40', 'middle gram plain'],
  ['one less', 'value-quantity=5', 'low below middle high gram plain'],
  ['exponential', 'value-quantity=54e-1', 'low middle gram plain'],
  ['exponential with zeros', 'value-quantity=540e-2', 'middle gram plain'],
  ['whole numbers', 'value-quantity=100', 'hundred'],
  ['one digit of a hundred: 50 up to 150', 'value-quantity=1e2', 'hundred ninety'],
  ['three digits of a hundred', 'value-quantity=1.00e2', 'hundred'],
  ['zero', 'value-quantity=0', 'zero'],
  ['minus zero', 'value-quantity=-0.0', 'zero'],
  ['negative', 'value-quantity=-5.4', 'negative'],
  ['negative: the upper end is out', 'value-quantity=-5.3', ''],
  ['a plus sign', 'value-quantity=%2B5.40', 'middle gram plain'],
  ['leading zeros', 'value-quantity=005.40', 'middle gram plain'],
  ['ne is the opposite for what has a number', 'value-quantity=ne5.4', 'below high zero negative hundred ninety'],
  ['gt is exact', 'value-quantity=gt5.4', 'high hundred ninety'],
  ['ge is exact', 'value-quantity=ge5.4', 'middle high hundred ninety gram plain'],
  ['lt is exact', 'value-quantity=lt5.4', 'low below zero negative'],
  ['le is exact', 'value-quantity=le5.35', 'low below zero negative'],
  ['sa', 'value-quantity=sa95', 'hundred'],
  ['eb', 'value-quantity=eb0', 'negative'],
  ['ap: a tenth', 'value-quantity=ap105', 'hundred ninety'],
  ['ap: not less than eq', 'value-quantity=ap5', 'low below middle high gram plain'],
  ['ap of a negative', 'value-quantity=ap-5', 'negative'],
  ['system and code', `value-quantity=5.4|${ucum}|mg`, 'low middle'],
  ['units are not converted', `value-quantity=5400|${ucum}|mg`, ''],
  ['no system: code or unit', 'value-quantity=5.4||mg', 'low middle plain'],
  ['no system: the human unit', 'value-quantity=5.4||milligram', 'low middle'],
  ['a unit is no code', `value-quantity=5.4|${ucum}|milligram`, ''],
  ['a system alone', `value-quantity=5.4|${ucum}|`, 'low middle gram'],
  ['another system', 'value-quantity=5.4|http://snomed.info/sct|mg', ''],
  ['a prefix with a unit', `value-quantity=gt5.4|${ucum}|mg`, 'high hundred ninety'],
  ['a list', 'value-quantity=0,5.40||g', 'zero gram'],
  ['a range', 'value-quantity=ge5&value-quantity=lt5.4', 'low below'],
  ['a quantity without number is there but is none', 'value-quantity:missing=true', 'words none'],
  ['and never matches', 'value-quantity=ge-1000', 'low below middle high zero negative hundred ninety gram plain'],
]

describe('quantities', () => {
  sharp('Observation', values, numbers)
})

describe('precise decimals', () => {
  sharp('Observation', { a: mg(0.1), b: mg(0.30000000000000004), c: mg(0.3), d: mg(1e-7), e: mg(123456789012.345) }, [
    ['sums of floating point are not what was written', 'value-quantity=ge0.3&value-quantity=le0.3', 'c'],
    ['many digits', 'value-quantity=0.30000000000000004', 'b'],
    ['small ones', 'value-quantity=0.0000001', 'd'],
    ['in exponential form', 'value-quantity=1.0e-7', 'd'],
    ['large ones', 'value-quantity=123456789012.345', 'e'],
    ['the edge of 0.1', 'value-quantity=gt0.1', 'b c e'],
  ])
})

describe('quantities that are intervals', () => {
  sharp(
    'Observation',
    {
      less: mg(5, { comparator: '<' }),
      most: mg(5, { comparator: '<=' }),
      more: mg(5, { comparator: '>' }),
      least: mg(5, { comparator: '>=' }),
      exact: mg(5),
    },
    [
      ['eq contains no half-line', 'value-quantity=5', 'exact'],
      ['gt', 'value-quantity=gt5', 'more least'],
      ['ge: not what stays below', 'value-quantity=ge5', 'most more least exact'],
      ['lt', 'value-quantity=lt5', 'less most'],
      ['le: not what stays above', 'value-quantity=le5', 'less most least exact'],
      ['gt of a smaller number', 'value-quantity=gt3', 'less most more least exact'],
      ['sa', 'value-quantity=sa5', 'more'],
      ['eb', 'value-quantity=eb5', 'less'],
    ],
  )
  const years = (value: number) => ({ value, unit: 'a', system: ucum, code: 'a' })
  sharp(
    'Condition',
    {
      age: { onsetAge: years(40) },
      range: { onsetRange: { low: years(30), high: years(50) } },
      adult: { onsetRange: { low: years(18) } },
      young: { onsetRange: { high: years(30) } },
      mixed: { onsetRange: { low: { value: 20, code: 'mo', system: ucum }, high: years(30) } },
      empty: { onsetRange: unknown },
      date: { onsetDateTime: '2020' },
    },
    [
      ['an age', 'onset-age=40', 'age'],
      ['gt: a part above', 'onset-age=gt45', 'range adult'],
      ['le: a part below', 'onset-age=le30', 'range adult young mixed'],
      ['sa', 'onset-age=sa29', 'age range'],
      ['eb', 'onset-age=eb31', 'young mixed'],
      ['both units must be equal', `onset-age=gt20|${ucum}|a`, 'age range adult young'],
      ['a range of extensions only is missing', 'onset-age:missing=true', 'empty date'],
    ],
  )
  const sampled = (data: string, more = {}) => ({
    valueSampledData: { origin: years(10), period: 1, dimensions: 1, data, ...more },
  })
  sharp(
    'Observation',
    {
      samples: sampled('0 -2 E 5'),
      scaled: sampled('0 10', { factor: 0.5 }),
      limited: sampled('L 1', { lowerLimit: -4 }),
      unlimited: sampled('1 U'),
      errors: sampled('E E'),
    },
    [
      ['the greatest sample', 'value-quantity=ge15', 'samples scaled unlimited'],
      ['the least sample', 'value-quantity=le8', 'samples limited'],
      ['no limit of detection', 'value-quantity=gt1000', 'unlimited'],
      ['the unit of the origin', `value-quantity=ge15|${ucum}|a`, 'samples scaled unlimited'],
      ['another unit', `value-quantity=ge15|${ucum}|mo`, ''],
    ],
  )
})
