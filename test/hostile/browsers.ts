import assert from 'node:assert/strict'
import { type Attack, bearer, pathOf, send } from './target.ts'

const origins = ['https://evil.example.org', 'null', 'http://127.0.0.1:8080', 'file://']

/** What a page of another origin may try in a browser (protocol §9). */
export const browserAttacks: readonly Attack[] = origins.map((origin) => ({
  against: 'browsers',
  attack: `a page of ${origin}: it may call with a token of its own, never with credentials of the browser`,
  run: async (target) => {
    const asked = {
      origin,
      'access-control-request-method': 'DELETE',
      'access-control-request-headers': 'authorization',
    }
    const preflight = await send(target, 'OPTIONS', pathOf(target.finished), asked)
    const answer = await send(target, 'GET', pathOf(target.finished), { ...bearer(target.owner), origin })
    const refusal = await send(target, 'GET', pathOf(target.finished), { origin, cookie: 'session=1' })
    assert.deepEqual([preflight.status, answer.status, refusal.status], [204, 200, 401])
    for (const { headers } of [preflight, answer, refusal]) {
      assert.equal(headers['access-control-allow-origin'], '*')
      assert.equal(headers['access-control-allow-credentials'], undefined)
      assert.equal(headers['access-control-allow-private-network'], undefined)
    }
  },
}))
