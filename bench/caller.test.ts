import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ratesDefault } from '../src/http/rates.ts'
import { pollPauseMs } from './caller.ts'

test('however fast it is answered, a poll of the measuring client is never one too many', () => {
  const polls = [0]
  while (polls.at(-1)! < 20_000) polls.push(polls.at(-1)! + pollPauseMs(polls.at(-1)!))
  for (const [at, ms] of polls.entries()) {
    const within = polls.slice(at).filter((each) => each < ms + 1_000).length
    assert.ok(within <= ratesDefault.poll!, `${within} polls from ${ms} ms on`)
  }
})
