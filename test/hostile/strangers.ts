import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { disableClient } from '../../src/access/registry/client.ts'
import { signAccessToken } from '../../src/access/tokens/access-token.ts'
import { loadSigningKeys } from '../../src/access/tokens/signing-key.ts'
import { assertRefused } from '../scenarios/outcome.ts'
import type { Caller } from '../scenarios/suite.ts'
import { type Attack, anonymous, bearer, pathOf, send, type Target } from './target.ts'

/** What a client of the same tenant may not have: O-7 says 403, and nothing more. */
const ofAnotherClient = (what: string, method: string, url: (target: Target) => string): Attack => ({
  against: 'jobs and files of another client',
  attack: `${method} of ${what} with the token of another client of the tenant`,
  run: async (target) => {
    const answer = await send(target, method, pathOf(url(target)), bearer(target.stranger))
    assertRefused(answer, 403, 'forbidden')
    assert.ok(!answer.body.includes(target.owner.client.id), 'the answer does not say whose it is')
  },
})

/** Across tenants a thing that is there answers exactly as one that never was. */
const ofAnotherTenant = (what: string, method: string, url: (target: Target) => string): Attack => ({
  against: 'jobs and files of another tenant',
  attack: `${method} of ${what} under the own tenant: body and headers as for what never was`,
  run: async (target) => {
    const path = pathOf(url(target)).replace('/clinic/', '/neighbour/')
    const nowhere = path.replace(/[^/]+$/, randomUUID())
    const there = await send(target, method, path, bearer(target.foreigner))
    const notThere = await send(target, method, nowhere, bearer(target.foreigner))
    assertRefused(there, 404, 'not-found')
    assert.deepEqual(anonymous(there), anonymous(notThere))
  },
})

const inAnotherTenant = (what: string, method: string, url: (target: Target) => string): Attack => ({
  against: 'jobs and files of another tenant',
  attack: `${method} of ${what} under its own tenant with a token of another: as for what never was`,
  run: async (target) => {
    const path = pathOf(url(target))
    const there = await send(target, method, path, bearer(target.foreigner))
    const notThere = await send(target, method, path.replace(/[^/]+$/, randomUUID()), bearer(target.foreigner))
    assertRefused(there, 403, 'forbidden')
    assert.deepEqual(anonymous(there), anonymous(notThere))
  },
})

const things: readonly (readonly [string, string, (target: Target) => string])[] = [
  ['a finished export', 'GET', ({ finished }) => finished],
  ['a finished export', 'DELETE', ({ finished }) => finished],
  ['a running export', 'GET', ({ running }) => running],
  ['a running export', 'DELETE', ({ running }) => running],
  ['a file', 'GET', ({ file }) => file],
]

/** The owner with a token that says something else of it. */
async function forged(target: Target, claims: Partial<Record<'tenant' | 'client', string>>): Promise<string> {
  return target.suite.signedToken(target.owner, claims)
}

async function assertNoToken(target: Target, token: string): Promise<void> {
  const answer = await send(target, 'GET', pathOf(target.finished), { authorization: `Bearer ${token}` })
  assertRefused(answer, 401, 'login')
}

async function withoutUse(target: Target, caller: Caller): Promise<number> {
  return (await send(target, 'GET', '/r4/clinic/Patient/victim', bearer(caller))).status
}

/** Who is not the owner of a job or file, or is nobody. */
export const strangerAttacks: readonly Attack[] = [
  ...things.map((thing) => ofAnotherClient(...thing)),
  ...things.map((thing) => ofAnotherTenant(...thing)),
  ...things.map((thing) => inAnotherTenant(...thing)),
  {
    against: 'tokens',
    attack: 'a token that names a client of the tenant which was never registered',
    run: async (target) => assertNoToken(target, await forged(target, { client: randomUUID() })),
  },
  {
    against: 'tokens',
    attack: "a token of the owner for a tenant that is not the owner's",
    run: async (target) => assertNoToken(target, await forged(target, { tenant: 'neighbour' })),
  },
  {
    against: 'tokens',
    attack: 'a token that is signed for another public base',
    run: async ({ suite, owner, ...rest }) => {
      const keys = await loadSigningKeys(suite.server.pool)
      const holder = { tenant: 'clinic', client: owner.client.id, scopes: ['system/*.read'] }
      const token = await signAccessToken(holder, {
        keys,
        publicUrl: 'https://evil.example.org',
        now: new Date(),
        tokenSeconds: 300,
      })
      await assertNoToken({ suite, owner, ...rest }, token)
    },
  },
  {
    against: 'tokens',
    attack: 'a valid token of a client that is disabled: refused with its live token, and for new ones',
    run: async (target) => {
      const { suite } = target
      const caller = await suite.newCaller()
      assert.equal(await withoutUse(target, caller), 200)
      await disableClient(suite.server.pool, caller.client.id)
      while ((await withoutUse(target, caller)) === 200) await pause(50)
      assertRefused(await send(target, 'GET', '/r4/clinic/Patient/victim', bearer(caller)), 401, 'login')
      await assert.rejects(suite.server.token(caller.client))
    },
  },
]
