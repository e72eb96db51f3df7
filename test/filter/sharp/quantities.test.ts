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
  ['UCUM units are converted', `value-quantity=5400|${ucum}|mg`, 'gram'],
  ['no system: code or unit', 'value-quantity=5.4||mg', 'low middle plain'],
  ['no system: the human unit', 'value-quantity=5.4||milligram', 'low middle'],
  ['a unit is no code', `value-quantity=5.4|${ucum}|milligram`, ''],
  ['a system alone', `value-quantity=5.4|${ucum}|`, 'low middle gram'],
  ['another system', 'value-quantity=5.4|http://snomed.info/sct|mg', ''],
  ['a prefix with a unit', `value-quantity=gt5.4|${ucum}|mg`, 'high hundred ninety gram'],
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
      ['ends in two units', `onset-age=lt2|${ucum}|a`, 'young mixed'],
      ['both must be convertible', `onset-age=gt1|${ucum}|kg`, ''],
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
      ['samples in months', `value-quantity=ge180|${ucum}|mo`, 'samples scaled unlimited'],
      ['another unit', `value-quantity=ge15|${ucum}|kg`, ''],
    ],
  )
})

const quantity = (value: number, code: string, more = {}) => ({ valueQuantity: { value, system: ucum, code, ...more } })

describe('quantities in other UCUM units', () => {
  sharp(
    'Observation',
    {
      mg: quantity(5.4, 'mg'),
      ug: quantity(5400, 'ug'),
      ugLow: quantity(5350, 'ug'),
      ugBelow: quantity(5349.9999, 'ug'),
      ugHigh: quantity(5450, 'ug'),
      g: quantity(0.0054, 'g'),
      gLow: quantity(0.00535, 'g'),
      grains: quantity(1, '[gr]'),
      less: quantity(5400, 'ug', { comparator: '<' }),
      litre: quantity(5.4, 'mL'),
      annotated: quantity(5.4, 'mg{dry}'),
      unknown: quantity(5.4, 'milligram'),
      other: { valueQuantity: { value: 5400, system: 'http://snomed.info/sct', code: 'ug' } },
      words: { valueQuantity: { value: 5400, unit: 'ug' } },
    },
    [
      ['the range is the one of the searched digits', `value-quantity=5.4|${ucum}|mg`, 'mg ug ugLow g gLow annotated'],
      ['more digits', `value-quantity=5.40|${ucum}|mg`, 'mg ug g annotated'],
      ['in the smaller unit the digits are finer', `value-quantity=5400|${ucum}|ug`, 'mg ug g annotated'],
      ['and rougher with an exponent', `value-quantity=54e2|${ucum}|ug`, 'mg ug ugLow g gLow annotated'],
      ['in the greater unit', `value-quantity=0.0054|${ucum}|g`, 'mg ug ugLow g gLow annotated'],
      ['ge is exact', `value-quantity=ge5.4|${ucum}|mg`, 'mg ug ugHigh g grains annotated'],
      ['gt is exact', `value-quantity=gt5400|${ucum}|ug`, 'ugHigh grains'],
      ['lt with a comparator', `value-quantity=lt5.35|${ucum}|mg`, 'ugBelow less'],
      ['a grain has 64.79891 mg', `value-quantity=64.79891|${ucum}|mg`, 'grains'],
      ['the lower edge of it', `value-quantity=64.8|${ucum}|mg`, 'grains'],
      ['no code, no conversion', `value-quantity=5400|${ucum}|`, 'ug'],
      ['no system, no conversion', 'value-quantity=5400||ug', 'ug other words'],
      ['what is no UCUM equals itself', `value-quantity=5.4|${ucum}|milligram`, 'unknown'],
      ['another system is not converted', 'value-quantity=5.4|http://snomed.info/sct|mg', ''],
    ],
  )
  sharp(
    'Observation',
    {
      celsius: quantity(37, 'Cel'),
      fahrenheit: quantity(98.6, '[degF]'),
      kelvin: quantity(310.15, 'K'),
      fever: quantity(101.3, '[degF]'),
      slope: quantity(37, 'Cel/h'),
    },
    [
      ['temperatures have zeros of their own', `value-quantity=37|${ucum}|Cel`, 'celsius fahrenheit kelvin'],
      ['exactly', `value-quantity=ge37&value-quantity=ge37.0|${ucum}|Cel`, 'celsius fahrenheit kelvin fever'],
      ['the range is in the searched unit', `value-quantity=98.6|${ucum}|[degF]`, 'celsius fahrenheit kelvin'],
      ['gt', `value-quantity=gt38|${ucum}|Cel`, 'fever'],
      ['a rate of degrees is not converted', `value-quantity=37|${ucum}|Cel/h`, 'slope'],
    ],
  )
  sharp(
    'Observation',
    {
      cells: quantity(5.1, '10*9/L'),
      thousands: quantity(5.1, '10*3/uL'),
      caret: quantity(5.1, '10^3/uL'),
      plain: quantity(5100, '/uL'),
      named: quantity(5100, '{cells}/uL'),
      moles: quantity(5.1, 'mmol/L'),
      micromoles: quantity(5100, 'umol/L'),
      equivalents: quantity(5.1, 'meq/L'),
      osmoles: quantity(5.1, 'mosm/L'),
      units: quantity(5.1, '[iU]/L'),
      milliunits: quantity(5.1, 'm[IU]/mL'),
      enzyme: quantity(5.1, 'U/L'),
      acid: quantity(5.1, '[pH]'),
      bel: quantity(5.1, 'B[SPL]'),
      decibel: quantity(51, 'dB[SPL]'),
    },
    [
      ['powers of ten', `value-quantity=5.1|${ucum}|10*9/L`, 'cells thousands caret plain named'],
      ['moles are not counted', `value-quantity=5.1|${ucum}|mmol/L`, 'moles micromoles'],
      ['equivalents depend on the charge', `value-quantity=5.1|${ucum}|meq/L`, 'equivalents'],
      ['osmoles on the substance', `value-quantity=5.1|${ucum}|mosm/L`, 'osmoles'],
      ['an arbitrary unit equals itself', `value-quantity=5.1|${ucum}|[IU]/L`, 'units milliunits'],
      ['with prefixes too', `value-quantity=5100|${ucum}|m[iU]/L`, 'units milliunits'],
      ['international units are not those of enzymes', `value-quantity=5.1|${ucum}|U/L`, 'enzyme'],
      ['pH equals itself', `value-quantity=5.1|${ucum}|[pH]`, 'acid'],
      ['a logarithm equals itself, prefixes are linear', `value-quantity=5.1|${ucum}|B[SPL]`, 'bel decibel'],
    ].map(([why, query, ids]): Row => [why!, query!, ids!, 'own']),
  )
  sharp(
    'Observation',
    {
      pressure: {
        component: [
          { code: { coding: [{ code: '8480-6' }] }, valueQuantity: { value: 16, system: ucum, code: 'kPa' } },
          { code: { coding: [{ code: '8462-4' }] }, valueQuantity: { value: 80, system: ucum, code: 'mm[Hg]' } },
        ],
      },
    },
    [
      ['in a composite', `component-code-value-quantity=8480-6$gt119|${ucum}|mm[Hg]`, 'pressure'],
      ['on the same element', `component-code-value-quantity=8462-4$gt119|${ucum}|mm[Hg]`, ''],
    ],
  )
})
