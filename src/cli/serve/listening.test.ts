import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../failure.ts'
import { ratesDefault } from '../../http/rates.ts'
import { type ListeningFlags, readListening, refuseClearText } from './listening.ts'

const tls = { tlsCert: '/etc/tls.crt', tlsKey: '/etc/tls.key' }

test('flags win over the environment; what is not said has its default', () => {
  assert.deepEqual(readListening({}, {}), { proxies: [], plainHttp: false, rates: ratesDefault })
  const environment = {
    MILLRACE_TLS_CERT: '/env.crt',
    MILLRACE_TLS_KEY: '/env.key',
    MILLRACE_TRUST_PROXY: '10.0.0.0/8',
    MILLRACE_PLAIN_HTTP: '1',
    MILLRACE_RATE_LIMITS: 'poll=off',
  }
  assert.deepEqual(readListening({}, environment), {
    tls: { cert: '/env.crt', key: '/env.key' },
    proxies: ['10.0.0.0/8'],
    plainHttp: true,
    rates: { ...ratesDefault, poll: undefined },
  })
  const flags = { ...tls, trustProxy: '::1, fd00::/8', rateLimits: 'client=1,address=1000000' }
  assert.deepEqual(readListening(flags, environment), {
    tls: { cert: '/etc/tls.crt', key: '/etc/tls.key' },
    proxies: ['::1', 'fd00::/8'],
    plainHttp: true,
    rates: { ...ratesDefault, client: 1, address: 1_000_000 },
  })
})

const manyProxies = (count: number) => Array.from({ length: count }, (_, index) => `10.0.0.${index}`).join(',')

test('100 proxies can be trusted', () => {
  assert.equal(readListening({ trustProxy: manyProxies(100) }, {}).proxies.length, 100)
})

const refused: readonly (readonly [ListeningFlags, Record<string, string>, RegExp])[] = [
  [{ tlsCert: 'a' }, {}, /without its key/],
  [{ tlsKey: 'a' }, {}, /without its certificate/],
  [{ trustProxy: 'proxy.example.org' }, {}, /"proxy\.example\.org" is no proxy/],
  [{ trustProxy: '0.0.0.0/0' }, {}, /is no proxy/],
  [{ trustProxy: '::/0' }, {}, /is no proxy/],
  [{ trustProxy: '10.0.0.0/33' }, {}, /is no proxy/],
  [{ trustProxy: '10.0.0.0/8/8' }, {}, /is no proxy/],
  [{ trustProxy: manyProxies(101) }, {}, /More than 100/],
  [{ rateLimits: 'client=0' }, {}, /"client=0" cannot be read/],
  [{ rateLimits: 'client=1000001' }, {}, /cannot be read/],
  [{ rateLimits: 'clients=5' }, {}, /cannot be read/],
  [{ rateLimits: 'client' }, {}, /cannot be read/],
  [{}, { MILLRACE_PLAIN_HTTP: 'perhaps' }, /MILLRACE_PLAIN_HTTP is "perhaps"/],
]

for (const [flags, environment, message] of refused) {
  test(`refused: ${JSON.stringify(flags)} ${JSON.stringify(environment)}`.slice(0, 120), () => {
    assert.throws(
      () => readListening(flags, environment),
      (error) => error instanceof Failure && message.test(error.message) && error.advice !== '',
    )
  })
}

test('clear text needs a reason wherever others can listen, and none on loopback', async () => {
  const bare = readListening({}, {})
  for (const host of ['127.0.0.1', '127.8.9.10', '::1', 'localhost']) await refuseClearText(host, bare)
  for (const host of ['0.0.0.0', '::', '10.1.2.3', '192.0.2.1', '2001:db8::1']) {
    await assert.rejects(refuseClearText(host, bare), Failure, host)
    for (const flags of [tls, { trustProxy: '10.1.2.9' }, { plainHttp: true }]) {
      await refuseClearText(host, readListening(flags, {}))
    }
  }
})
