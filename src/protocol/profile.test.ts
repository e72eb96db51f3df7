import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Profile, profiles } from './profile.ts'

const page = new URL('../../docs/profiles.md', import.meta.url)

type Switch = boolean | string | readonly string[]

/** The switches of a profile by their paths: `typeFilter.sameType`. */
function switchesOf(profile: Profile): Map<string, Switch> {
  return new Map(
    Object.entries(profile).flatMap(([name, value]: [string, Switch | object]) =>
      typeof value !== 'object' || Array.isArray(value)
        ? [[name, value as Switch] as const]
        : Object.entries(value).map(([inner, of]) => [`${name}.${inner}`, of as Switch] as const),
    ),
  )
}

const toldTypesMax = 16

const told = (value: Switch | undefined): string => {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return value
  if (value === undefined || value.length === 0) return 'none'
  return value.length > toldTypesMax ? `${value.length} types` : value.join(', ')
}

test('docs/profiles.md tells every switch of both profiles as it is', () => {
  const rows = [...readFileSync(page, 'utf8').matchAll(/^\| `([\w.]+)` \|[^|]*\| ([^|]*) \| ([^|]*) \|$/gm)]
  const documented = rows.map(([, name, millennium, hl7]) => [name, millennium, hl7])
  const [millennium, hl7] = [switchesOf(profiles.millennium), switchesOf(profiles.hl7)]
  const actual = [...millennium].map(([name, value]) => [name, told(value), told(hl7.get(name))])
  assert.deepEqual(documented.toSorted(), actual.toSorted())
})
