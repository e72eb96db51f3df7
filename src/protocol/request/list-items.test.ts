import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ProfileName, profiles } from '../profile.ts'
import { Findings } from './findings.ts'
import { listCharsMax, listItems, wideListCharsMax } from './list-items.ts'

describe('a comma-delimited list', () => {
  /** What is wrong with a list of so many characters. */
  function problemsOf(profile: ProfileName, chars: number): readonly string[] {
    const findings = new Findings(false)
    const value = `${'Patient,'.repeat(chars).slice(0, chars - 1)}x`
    const items = listItems([{ name: '_type', value, valueName: 'valueString', at: 'x' }], profiles[profile], findings)
    assert.equal(items.length > 0, findings.total === 0)
    return findings.problems.map(({ code }) => code)
  }

  for (const [profile, charsMax] of [
    ['millennium', listCharsMax],
    ['hl7', wideListCharsMax],
  ] as const) {
    it(`has at most ${charsMax} characters in ${profile}`, () => {
      assert.deepEqual(
        [charsMax - 1, charsMax, charsMax + 1].map((chars) => problemsOf(profile, chars)),
        [[], [], ['too-long']],
      )
    })
  }

  it('may name all types that a profile exports', () => {
    for (const profile of ['millennium', 'hl7'] as const) {
      const chars = profiles[profile].exportedTypes.join().length
      assert.deepEqual(problemsOf(profile, chars), [], profile)
    }
  })
})
