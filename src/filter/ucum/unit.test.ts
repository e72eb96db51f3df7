import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import ucum from '@lhncbc/ucum-lhc'
import fc from 'fast-check'
import { ucumSourceFile, ucumSourceText } from '../../../scripts/ucum/source-text.ts'
import { ucumAtoms, ucumPrefixes } from './atoms.generated.ts'
import { conversionsTo } from './conversion.ts'
import { fraction, fractionOf, numberOf } from './fraction.ts'
import { tenExponentMax, unitCharsMax, unitExponentMax, unitOf } from './unit.ts'

const convert = (value: number, from: string, to: string) => conversionsTo(to)(from)?.(value)

describe('the table of UCUM', () => {
  it('is what the generator makes of the definitions', () => {
    assert.equal(readFileSync(ucumSourceFile, 'utf8'), ucumSourceText(), 'run scripts/generate-ucum.ts')
  })

  it('has units that can all be read', () => {
    for (const code of Object.keys(ucumAtoms)) assert.ok(unitOf(code), code)
    for (const prefix of Object.keys(ucumPrefixes)) assert.ok(unitOf(`${prefix}g`), prefix)
    assert.ok(Object.keys(ucumAtoms).length > 300)
  })
})

/** Known conversions, of textbooks and standards. */
const known: readonly (readonly [value: number, from: string, to: string, result: number | undefined])[] = [
  [5.4, 'mg', 'ug', 5400],
  [1, 'g/dL', 'g/L', 10],
  [100, 'mg/dL', 'g/L', 1],
  [5.5, 'mmol/L', 'umol/L', 5500],
  [5.1, '10*3/uL', '10*9/L', 5.1],
  [5.1, '10^3/uL', '10*9/L', 5.1],
  [4.5, '10*6/uL', '10*12/L', 4.5],
  [250, '/nL', '10*9/L', 250],
  [1, 'mm[Hg]', 'Pa', 133.322],
  [120, 'mm[Hg]', 'kPa', 15.99864],
  [1, 'm[H2O]', 'Pa', 9806.65],
  [1, 'bar', 'kPa', 100],
  [1, 'atm', 'Pa', 101325],
  [1, '[in_i]', 'cm', 2.54],
  [6, '[ft_i]', 'm', 1.8288],
  [1, '[lb_av]', 'kg', 0.45359237],
  [1, '[oz_av]', 'g', 28.349523125],
  [1, '[stone_av]', 'kg', 6.35029318],
  [1, '[gal_us]', 'L', 3.785411784],
  [1, 'kg/m2', 'g/cm2', 0.1],
  [37, 'Cel', 'K', 310.15],
  [98.6, '[degF]', 'Cel', 37],
  [0, '[degF]', 'K', 255.37222222222223],
  [80, '[degRe]', 'Cel', 100],
  [37000, 'mCel', 'Cel', 37],
  [-40, 'Cel', '[degF]', -40],
  [1, 'h', 's', 3600],
  [1, 'a', 'd', 365.25],
  [1, 'mo', 'd', 30.4375],
  [1, 'wk', 'h', 168],
  [60, '/min', 'Hz', 1],
  [72, '{beats}/min', '/min', 72],
  [1, 'L/min', 'mL/s', 16.666666666666668],
  [90, 'mL/min/{1.73_m2}', 'L/h', 5.4],
  [1, 'kat', 'U', 60_000_000],
  [40, 'U/L', 'nkat/mL', 0.6666666666666666],
  [1, 'cal', 'J', 4.184],
  [1, '[Cal]', 'cal', 1000],
  [180, 'deg', 'rad', Math.PI],
  [50, '%', '1', 0.5],
  [5, 'mg/g', '%', 0.5],
  [1, '[ppm]', '[ppb]', 1000],
  [2, '{score}', '1', 2],
  [1, 'm/s.s', 'm', 1],
  [1, 'm/(s.s)', 'm/s2', 1],
  [1, '/(m.s)', 'm-1.s-1', 1],
  [1, 'kg.m/s2', 'N', 1],
  [1, 'm+2', 'm2', 1],
  [1, '10.g', 'g', 10],
  [1, '2.54.cm', '[in_i]', 42.51968503937008],
  [1, '[iU]/L', 'm[IU]/mL', 1],
  [3, 'dB', 'B', 0.3],
  [1, 'Ki', 'By', undefined],
  [1, 'KiBy', 'By', 1024],
  [1, 'mol', '10*23', undefined],
  [1, 'mmol/L', 'meq/L', undefined],
  [1, 'osm', 'mol', undefined],
  [1, '[iU]', 'U', undefined],
  [1, '[iU]', "[arb'U]", undefined],
  [7.4, '[pH]', 'mol/L', undefined],
  [1, 'B', 'Np', undefined],
  [1, 'Cel/h', 'K/h', undefined],
  [1, 'Cel2', 'K2', undefined],
  [1, 'g', 'm', undefined],
]

describe('units of UCUM', () => {
  for (const [value, from, to, result] of known) {
    it(`${value} ${from} ${result === undefined ? 'cannot be given in' : `is ${result}`} ${to}`, () => {
      assert.equal(convert(value, from, to), result)
    })
  }

  for (const code of [
    '',
    ' ',
    'mg ',
    'm g',
    'MG/DL',
    'milligram',
    'units',
    '(score)',
    'mg//L',
    'mg/',
    '.mg',
    'mg.',
    '(mg',
    'mg)',
    '()',
    'mg{',
    'mg}',
    '{a}{b}',
    'mg{é}',
    '[in_i',
    'in_i]',
    '10*',
    '0',
    'g0',
    'g-',
    'kkg',
    'k[lb_av]',
    'toString',
    'constructor',
    '__proto__',
    'm{a}2',
    '2mg',
    '1e3',
  ]) {
    const ten = code === '10*'
    it(`${JSON.stringify(code)} is ${ten ? 'ten' : 'no code'}`, () => assert.equal(unitOf(code) !== undefined, ten))
  }

  it('a code that is none equals itself only', () => {
    assert.equal(convert(5, 'milligram', 'milligram'), 5)
    assert.equal(convert(5, 'mg', 'milligram'), undefined)
    assert.equal(convert(5, 'milligram', 'mg'), undefined)
  })

  it('has bounds', () => {
    const long = (length: number) => `g.${'1'.repeat(length - 2)}`
    for (const [most, code] of [
      [unitCharsMax, long],
      [tenExponentMax, (exponent: number) => `10*${exponent}`],
      [tenExponentMax, (exponent: number) => `10^-${exponent}`],
      [unitExponentMax, (exponent: number) => `m${exponent}`],
      [unitExponentMax, (exponent: number) => `m-${exponent}`],
    ] as const) {
      assert.ok(unitOf(code(most - 1)))
      assert.ok(unitOf(code(most)))
      assert.equal(unitOf(code(most + 1)), undefined, code(most + 1))
    }
  })

  it('beyond all numbers a conversion is infinite or nothing, never wrong', () => {
    const huge = 'Ym9.Ym9.Ym9'
    assert.equal(convert(1, huge, 'ym9.ym9.ym9'), Number.POSITIVE_INFINITY)
    assert.equal(convert(1, 'ym9.ym9.ym9', huge), 0)
    assert.equal(convert(Number.POSITIVE_INFINITY, 'kg', 'g'), Number.POSITIVE_INFINITY)
  })
})

describe('conversions', () => {
  const linear = Object.keys(ucumAtoms).filter((code) => unitOf(code)?.zero === undefined)
  const pairs = linear.flatMap((one) =>
    linear.filter((other) => convert(1, one, other) !== undefined).map((other) => [one, other] as const),
  )
  const number = fc
    .tuple(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), fc.constantFrom(1, -1, 0))
    .map(([size, sign]) => size * sign)

  it('there and back is the same number', () => {
    const pair = fc.constantFrom(...pairs)
    const operator = fc.constantFrom('.', '/')
    const exponent = fc.constantFrom('', '2', '-1')
    fc.assert(
      fc.property(pair, pair, operator, exponent, number, (first, second, sign, power, value) => {
        const [one, other] = [0, 1].map((side) => `${first[side]}${sign}(${second[side]}${power})`) as [string, string]
        const there = convert(value, one, other)
        assert.ok(there !== undefined, `${one} ${other}`)
        const back = convert(there, other, one)!
        assert.ok(Math.abs(back - value) <= Math.abs(value) * 1e-14, `${value} ${one} ${other}: ${there}, ${back}`)
      }),
      { numRuns: 5000 },
    )
  })

  it('keeps the order of numbers', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(['[lb_av]', 'kg'], ['[degF]', 'Cel'], ['mm[Hg]', 'kPa'], ['mo', 'a']),
        number,
        number,
        ([from, to], a, b) => {
          if (a <= b) assert.ok(convert(a, from!, to!)! <= convert(b, from!, to!)!)
        },
      ),
    )
  })

  it('agree with the library of the National Library of Medicine', (t) => {
    const units = ucum.UcumLhcUtils.getInstance()
    const codes = [
      ...linear,
      'mg/dL',
      'mmol/L',
      'g/L',
      '10*9/L',
      '/uL',
      'kg/m2',
      'mm[Hg]',
      'mL/min',
      'ng/mL',
      'U/L',
      'kU/L',
      'Cel',
      '[degF]',
      'fL',
      'pg',
    ]
    let agreed = 0
    for (const from of codes) {
      for (const to of codes) {
        const ours = convert(1.5, from, to)
        if (from === to || ours === undefined) continue
        const { status, toVal } = units.convertUnitTo(from, 1.5, to)
        // It converts no arbitrary units, and has another low power field: UCUM says 100.
        if (status !== 'succeeded' || toVal === null || [from, to].includes('[LPF]')) continue
        assert.ok(Math.abs(ours - toVal) <= Math.abs(toVal) * 1e-9, `1.5 ${from} in ${to}: ${ours}, not ${toVal}`)
        agreed++
      }
    }
    t.diagnostic(`${agreed} conversions`)
    assert.ok(agreed > 1000)
  })
})

describe('fractions', () => {
  it('become the nearest double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.equal(numberOf(fractionOf(String(value))!) + 0, value + 0)
      }),
      { numRuns: 2000 },
    )
    assert.equal(numberOf(fraction(1n, 3n)), 1 / 3)
    assert.equal(numberOf(fraction(-2n, 3n)), -2 / 3)
    assert.equal(numberOf(fraction(2n ** 53n + 1n)), 2 ** 53)
    assert.equal(numberOf(fraction((2n ** 53n + 1n) * 10n ** 60n + 1n, 10n ** 60n)), 2 ** 53 + 2, 'just above the half')
  })

  it('are read from decimals only', () => {
    for (const text of ['', 'NaN', 'Infinity', '1/2', '.5', '5.', '0x1']) assert.equal(fractionOf(text), undefined)
  })
})
