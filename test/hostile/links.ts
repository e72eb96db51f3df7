import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { signContentLink } from '../../src/access/content-link.ts'
import { loadSecret } from '../../src/access/secret.ts'
import { RawConnection, rawStatuses } from '../raw.ts'
import { assertRefused } from '../scenarios/outcome.ts'
import { type Attack, pathOf, send, type Target } from './target.ts'

const against = 'signed links'

/** The link with its query changed. */
function changed({ link }: Target, change: (query: URLSearchParams) => void): string {
  const url = new URL(link)
  change(url.searchParams)
  return url.pathname + url.search
}

const refused = (attack: string, path: (target: Target) => string | Promise<string>, method = 'GET'): Attack => ({
  against,
  attack,
  run: async (target) => assertRefused(await send(target, method, await path(target)), 403, 'forbidden'),
})

const idOf = (url: string): string => new URL(url).pathname.split('/').at(-1)!

/** A link as the server would make it, but for what is said. */
async function signed(target: Target, more: { secret?: Buffer; fileId?: string; seconds?: number }): Promise<string> {
  const { secret = await loadSecret(target.suite.server.pool, 'content-link'), seconds = 60 } = more
  const path = `/content/${idOf(target.file)}`
  const expires = new Date(Date.now() + seconds * 1000)
  return signContentLink({ secret, path, fileId: more.fileId ?? idOf(target.file), expires })
}

const flipped = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)

/** What is done to a link to get another file, or more time. */
export const linkAttacks: readonly Attack[] = [
  refused('no signature', (target) => changed(target, (query) => query.delete('signature'))),
  refused('no expiry', (target) => changed(target, (query) => query.delete('expires'))),
  refused('an empty signature', (target) => changed(target, (query) => query.set('signature', ''))),
  refused('one letter of the signature changed', (target) =>
    changed(target, (query) => query.set('signature', flipped(query.get('signature')!))),
  ),
  refused('a shortened signature', (target) =>
    changed(target, (query) => query.set('signature', query.get('signature')!.slice(0, 10))),
  ),
  refused('a longer signature', (target) =>
    changed(target, (query) => query.set('signature', `${query.get('signature')}A`)),
  ),
  refused('a signature that is there twice', (target) =>
    changed(target, (query) => query.append('signature', query.get('signature')!)),
  ),
  refused('a later expiry', (target) =>
    changed(target, (query) => query.set('expires', String(Number(query.get('expires')) + 1))),
  ),
  refused('an expiry with a sign', (target) =>
    changed(target, (query) => query.set('expires', `+${query.get('expires')}`)),
  ),
  refused('an expiry that is no number', (target) => changed(target, (query) => query.set('expires', '1e99'))),
  refused('the link of another file', ({ link, otherFile }) => pathOf(link).replace(idOf(link), idOf(otherFile))),
  refused('the id in capitals', ({ link }) => pathOf(link).replace(idOf(link), idOf(link).toUpperCase())),
  refused('an expired link', (target) => signed(target, { seconds: -1 })),
  refused('a life beyond five minutes and the clocks', (target) => signed(target, { seconds: 400 })),
  refused('a signature by another secret', (target) => signed(target, { secret: randomBytes(32) })),
  refused('a signature for another file at this path', (target) =>
    signed(target, { fileId: '96295b8c-584e-11ec-bf63-0242ac130002' }),
  ),
  ...(['POST', 'PUT', 'DELETE', 'PATCH'] as const).map(
    (method): Attack => ({
      against,
      attack: `${method} with a valid link`,
      run: async (target) => {
        const answer = await send(target, method, pathOf(target.link))
        assertRefused(answer, 405, 'not-supported')
      },
    }),
  ),
  {
    against,
    attack: 'a link under a tenant, and a link with a wrong token beside it: the token does not count',
    run: async (target) => {
      assert.equal((await send(target, 'GET', `/r4/clinic${pathOf(target.link)}`)).status, 401)
      const answer = await send(target, 'GET', pathOf(target.link), { authorization: 'Bearer wrong' })
      assert.equal(answer.status, 200)
    },
  },
  {
    against: 'memory and the disk',
    attack: 'Range with thousands of ranges, huge and backward numbers: no answer is longer than the file',
    run: async (target) => {
      const whole = await send(target, 'GET', pathOf(target.link))
      const many = Array.from({ length: 3_000 }, (_, index) => `${index}-${index}`).join(',')
      const huge = '9'.repeat(300)
      const ranges = [
        many,
        `0-${huge}`,
        `${huge}-`,
        `-${huge}`,
        '5-1',
        '-0',
        '--5',
        '0x0-0xf',
        '1-2-3',
        ' ',
        '-',
        '0-,-1',
      ]
      for (const range of ranges) {
        const answer = await send(target, 'GET', pathOf(target.link), { range: `bytes=${range}` })
        assert.ok([200, 206, 416].includes(answer.status), `${range.slice(0, 20)}: ${answer.status}`)
        if (answer.status !== 416) assert.ok(answer.body.length <= whole.body.length)
      }
    },
  },
  {
    against: 'who is answered',
    attack: 'files asked for on one connection before the answers have come: each is answered, in turn',
    run: async ({ suite, link }) => {
      const connection = new RawConnection(suite.server.url)
      const ask = (ends: string) => `GET ${pathOf(link)} HTTP/1.1\r\nHost: x\r\n${ends}\r\n`
      connection.send(ask('').repeat(4) + ask('Connection: close\r\n'))
      assert.deepEqual(rawStatuses(await connection.closed), [200, 200, 200, 200, 200])
    },
  },
]
