import assert from 'node:assert/strict'
import { type Attack, bearer, pathOf, send } from './target.ts'

const origins = ['https://evil.example.org', 'null', 'http://127.0.0.1:8080', 'file://']

/** What a page of another origin may try in a browser (protocol §9). */
const pages: readonly Attack[] = origins.map((origin) => ({
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

export const browserAttacks: readonly Attack[] = [
  ...pages,
  {
    against: 'browsers',
    attack: 'a page that calls the administrator API: no preflight passes, and no answer may be read',
    run: async (target) => {
      const asked = { origin: origins[0], 'access-control-request-method': 'DELETE' }
      for (const path of ['/admin/tenants', '/admin/tenants/clinic', '/%61dmin/tenants', '/admin/nothing']) {
        const preflight = await send(target, 'OPTIONS', path, asked)
        const answer = await send(target, 'GET', path, { origin: origins[0] })
        assert.ok(preflight.status >= 400, `${path} ${preflight.status}`)
        assert.equal(preflight.headers['access-control-allow-origin'], undefined, path)
        if (answer.status !== 404) assert.equal(answer.headers['access-control-allow-origin'], undefined, path)
      }
    },
  },
]
