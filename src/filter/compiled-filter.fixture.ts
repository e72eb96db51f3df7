import assert from 'node:assert/strict'
import { poolContext } from '../../test/filter/naive/pools.fixture.ts'
import { compileFilter, type Filter } from './compile.ts'
import { parseTypeFilter } from './parse/parse.ts'
import { scopeSwitches } from './parse/switches.ts'

/** The filter of one query, `Type?parameter=value`, in the context of the naive filters' pools. */
export function filterOf(query: string): Filter {
  const type = query.slice(0, query.indexOf('?'))
  const { queries, problems } = parseTypeFilter([{ text: query, at: 'x' }], {
    types: [type],
    exported: [],
    switches: scopeSwitches,
  })
  assert.deepEqual(problems, [], query)
  return compileFilter(queries.get(type)!, { bases: [poolContext.base], now: poolContext.now })
}
