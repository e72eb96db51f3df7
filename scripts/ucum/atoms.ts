import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { UcumAtom } from '../../src/filter/ucum/unit.ts'

interface Definitions {
  readonly prefixes: { readonly data: readonly (readonly [string, string, string, string, number, string | null])[] }
  readonly units: { readonly config: readonly (string | readonly string[])[]; readonly data: readonly unknown[][] }
}

interface Row {
  readonly csCode_: string
  readonly source_: string
  readonly isBase_: boolean
  readonly isMetric_: boolean
  readonly isArbitrary_: boolean
  readonly isSpecial_: boolean
  readonly baseFactorStr_: string
  readonly csUnitString_: string
}

const file = createRequire(import.meta.url).resolve('@lhncbc/ucum-lhc/data/ucumDefs.min.json')

/** Scales with a zero of their own: so many kelvin, after so much was added. The other special units are logarithms and tangents. */
const temperatures: Readonly<Record<string, UcumAtom['definition']>> = {
  Cel: { value: '1', unit: 'K', zero: '273.15' },
  '[degF]': { value: '5', unit: 'K/9', zero: '459.67' },
  '[degRe]': { value: '1.25', unit: 'K', zero: '218.52' },
}

/** Definitions that the package gives in part only: their magnitudes, or the other spelling, say what they are. */
const mended: Readonly<Record<string, UcumAtom['definition']>> = {
  '[mu_0]': { value: '4', unit: '[pi].10*-7.N/A2' },
  Oe: { value: '250', unit: '/[pi].A/m' },
  '[S]': { value: '1', unit: '10*-13.s' },
  '[diop]': { value: '1', unit: '/m' },
  '[mesh_i]': { value: '1', unit: '/[in_i]' },
  Bd: { value: '1', unit: '/s' },
}

const substances = ['mol', 'eq', 'osm']

/** The prefixes and atoms of UCUM. */
export function ucumTable(): {
  readonly prefixes: Readonly<Record<string, string>>
  readonly atoms: Readonly<Record<string, UcumAtom>>
} {
  const { prefixes, units } = JSON.parse(readFileSync(file, 'utf8')) as Definitions
  const names = units.config.map((name) => (typeof name === 'string' ? name : name[0]!))
  const rows = units.data.map(
    (row) => Object.fromEntries(row.map((cell, index) => [names[index], cell])) as unknown as Row,
  )
  return {
    prefixes: Object.fromEntries(
      prefixes.data.map(([code, , , , value, exponent]) => [code, exponent === null ? String(value) : `1e${exponent}`]),
    ),
    // The rest are combinations that LOINC uses.
    atoms: Object.fromEntries(rows.filter(({ source_ }) => source_ === 'UCUM').map((row) => [row.csCode_, atom(row)])),
  }
}

function atom(row: Row): UcumAtom {
  const metric = row.isMetric_ || row.isBase_ ? { metric: true as const } : {}
  const definition = temperatures[row.csCode_] ?? mended[row.csCode_] ?? (standsAlone(row) ? undefined : ordinary(row))
  return definition === undefined ? metric : { ...metric, definition }
}

const ordinary = ({ baseFactorStr_, csUnitString_ }: Row) => ({ value: baseFactorStr_, unit: csUnitString_ })

/**
 * Base units; arbitrary ones, which only another arbitrary one defines; logarithms and the like. And three that UCUM defines by each
 * other or a number, but whose conversion needs to know the substance: cells per litre are no moles per litre, equivalents depend on the
 * charge, osmoles on what dissolves.
 */
const standsAlone = (row: Row): boolean =>
  row.isBase_ || row.isSpecial_ || (row.isArbitrary_ && row.csUnitString_ === '1') || substances.includes(row.csCode_)
