import assert from 'node:assert/strict'
import { compileFilter } from '../../../src/filter/compile.ts'
import { parseTypeFilter } from '../../../src/filter/parse/parse.ts'
import { scopeSwitches } from '../../../src/filter/parse/switches.ts'
import { foundLines } from './found-lines.fixture.ts'
import { poolContext } from './pools.fixture.ts'

/** Percent-encodes the values of a query such as `Type?name=value&name=value`, in which none holds an ampersand. */
function encoded(query: string): string {
  const [type, parameters] = query.split(/\?(.*)/s)
  const parts = parameters!
    .split('&')
    .map((part) => part.replace(/=(.*)$/s, (_, value) => `=${encodeURIComponent(value)}`))
  return `${type}?${parts.join('&')}`
}

/** The positions of the lines that queries on one type find, as an export finds them. */
export function filtered(queries: readonly string[], lines: readonly Buffer[]): number[] {
  const text = queries.map(encoded).join(',')
  const type = text.slice(0, text.indexOf('?'))
  const parsed = parseTypeFilter([{ text, at: 'Parameters' }], { types: [type], exported: [], switches: scopeSwitches })
  assert.deepEqual(parsed.problems, [], text)
  const filter = compileFilter(parsed.queries.get(type)!, { bases: [poolContext.base], now: poolContext.now })
  return foundLines(filter, lines)
}
