import type { SearchParameter } from '../../../src/filter/search-parameter.ts'
import { compositeOf, definitionOf, valuesOf } from './extraction.fixture.ts'

type Json = { readonly [name: string]: unknown }

/** How many values of a parameter in the data are asked for, in how many ways each. */
const valuesMax = 3

/** Questions about values that the resources have: `:modifier=value`, not percent-encoded. */
export function witnesses(
  resources: readonly Json[],
  type: string,
  code: string,
  parameter: SearchParameter,
): string[] {
  if (parameter.type === 'composite') {
    const elements = resources.flatMap((resource) => compositeOf(resource, type, code))
    return some(elements.filter((parts) => parts.every(({ values }) => values.length > 0))).map((parts) => {
      const texts = parts.map(({ definition, values }) => plainForms(values[0], definition.type)[0] ?? '0')
      return `=${texts.join('$')}`
    })
  }
  const values = resources.flatMap((resource) => valuesOf(resource, type, code))
  const asked = some(values).flatMap((value) => forms(value, definitionOf(type, code).type))
  return [...new Set([...asked, ':missing=true', ':missing=false'])]
}

function some<Value>(values: readonly Value[]): Value[] {
  const distinct = [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
  const step = Math.max(1, Math.floor(distinct.length / valuesMax))
  return distinct.filter((_, index) => index % step === 0)
}

function forms(value: unknown, type: string): string[] {
  const plain = plainForms(value, type)
  const [first] = plain
  if (first === undefined) return []
  const asked = plain.map((text) => `=${text}`)
  switch (type) {
    case 'token':
      return [...asked, `:not=${first}`]
    case 'string':
      return [...asked, `:exact=${first}`, `:contains=${escaped(String(textsOf(value)[0]).slice(2, 6)) || 'e'}`]
    case 'date':
      return ['', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'].flatMap((prefix) =>
        plain.map((text) => `=${prefix}${text}`),
      )
    case 'quantity':
      return ['', 'ne', 'gt', 'lt', 'ge', 'le', 'ap'].flatMap((prefix) => plain.map((text) => `=${prefix}${text}`))
    case 'uri':
      return [...asked, `:below=${first.slice(0, 20)}`, `:above=${first}/more`].filter((text) => text.includes('://'))
    default:
      return asked
  }
}

const escaped = (text: unknown): string => String(text).replace(/[\\,|$]/g, '\\$&')

function textsOf(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [value]
  return Object.values(value)
    .flat()
    .filter((item) => typeof item === 'string')
}

function plainForms(value: unknown, type: string): string[] {
  const { coding, system, code, value: number, reference, start, end, event } = value as Json
  switch (type) {
    case 'token': {
      const [first] = Array.isArray(coding) ? (coding as Json[]) : [value as Json]
      if (typeof first !== 'object') return [escaped(first)]
      const found = first?.code ?? first?.value
      if (found === undefined) return []
      const paired = [`${escaped(first.system)}|${escaped(found)}`, `${escaped(first.system)}|`]
      const hasSystem = typeof first.system === 'string' && first.system.includes(':')
      return [escaped(found), ...(hasSystem ? paired : [])]
    }
    case 'date': {
      const [date] = [start, end, ...[event ?? []].flat(), value].filter((text) => typeof text === 'string')
      return date === undefined || !/^\d{4}/.test(date) ? [] : [date, date.slice(0, 10), date.slice(0, 7)]
    }
    case 'string':
      return textsOf(value)
        .slice(0, 2)
        .map((text) => escaped(String(text).toUpperCase().slice(0, 5).trim() || 'x'))
    case 'quantity':
      if (number === undefined) return []
      return [String(number), ...(code === undefined ? [] : [`${number}|${escaped(system ?? '')}|${escaped(code)}`])]
    case 'reference':
      if (typeof reference !== 'string' || !/^[\w-]+\/[\w-]+$/.test(reference)) return []
      return [reference, reference.split('/')[1]!]
    default:
      return [escaped(value)]
  }
}
