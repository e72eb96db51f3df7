import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readCampaign } from './campaign-options.ts'
import { faultKinds } from './fault-plan.ts'

const program = fileURLToPath(new URL('run-campaign.ts', import.meta.url))
const ran = (...words: string[]) => spawnSync(process.execPath, [program, ...words], { encoding: 'utf8' })

test('everything has a default, and the command that is told plays the same again', () => {
  const { seed, rounds, kinds, command } = readCampaign([])
  assert.deepEqual([rounds, kinds], [12, faultKinds])
  assert.equal(command, `npm run campaign -- --seed ${seed} --rounds 12`)
  const words = ['--seed', '7', '--rounds', '3', '--only', 'kill,pause']
  const again = readCampaign(words)
  assert.deepEqual([again.seed, again.rounds, again.kinds], [7, 3, ['kill', 'pause']])
  assert.equal(again.command, `npm run campaign -- ${words.join(' ')}`)
})

test('help tells the defaults and ends with 0', () => {
  const { status, stdout, stderr } = ran('--help')
  assert.equal(status, 0, stderr)
  assert.match(stdout, /default: 12/)
  assert.match(stdout, /a random one/)
})

test('what is not possible ends with 2 and a text, and nothing is played', () => {
  for (const words of [
    ['--frob'],
    ['more'],
    ['--rounds', '0'],
    ['--rounds', '1.5'],
    ['--seed', 'x'],
    ['--only', 'fire'],
  ]) {
    const { status, stdout, stderr } = ran(...words)
    assert.deepEqual([status, stdout], [2, ''], words.join(' '))
    assert.match(stderr, /^error: .*\n\(add --help for what is allowed\)\n$/s)
    assert.doesNotMatch(stderr, / at /)
  }
})
