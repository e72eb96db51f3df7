import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordBytesMax } from '../../records/draft.ts'
import { type ByteBounds, byteBounds } from './byte-bounds.ts'
import { BytesInFlight, type HeldBytes, type Payer, TooManyBytes, type Whose } from './bytes-in-flight.ts'

const bounds: ByteBounds = {
  allBytesMax: 1_000,
  largeOfAllBytesMax: 900,
  leftForTenantBytes: 0,
  tenantsMin: 3,
  ofTenantBytesMax: 600,
  ofClientBytesMax: 400,
  ofAddressBytesMax: 50,
  smallBytesMax: 10,
}

const client = (name: string, tenant = 'clinic'): Payer => ({ kind: 'client', tenant, client: name })
const address = (network: string): Payer => ({ kind: 'address', network })

/** Whose bytes are too many; undefined when there is room. */
function taking(held: HeldBytes, bytes: number): Whose | undefined {
  const before = held.bytes
  try {
    held.take(bytes)
    return undefined
  } catch (error) {
    assert.ok(error instanceof TooManyBytes)
    assert.equal(held.bytes, before, 'none were taken')
    return error.whose
  }
}

test('a client has its bytes in all of its requests, to the last one, and another client has its own', () => {
  const all = new BytesInFlight(bounds)
  const [one, two, other] = [all.open(client('a')), all.open(client('a')), all.open(client('b'))]
  assert.equal(taking(one, 399), undefined)
  assert.equal(taking(two, 2), 'client')
  assert.equal(taking(two, 1), undefined)
  assert.equal(taking(two, 1), 'client')
  assert.equal(taking(other, 200), undefined)
  one.become(0)
  assert.equal(taking(two, 399), undefined)
})

test('the clients of a tenant share, and so do all tenants', () => {
  const all = new BytesInFlight(bounds)
  assert.equal(taking(all.open(client('a')), 400), undefined)
  assert.equal(taking(all.open(client('b')), 201), 'tenant')
  assert.equal(taking(all.open(client('b')), 200), undefined)
  assert.equal(taking(all.open(client('a', 'neighbour')), 301), 'server')
  assert.equal(taking(all.open(client('a', 'neighbour')), 300), undefined)
  assert.equal(taking(all.open(client('a', 'third')), 11), 'server')
})

test('two tenants leave room for a third, however much they want, and one for two', () => {
  const all = new BytesInFlight({ ...bounds, leftForTenantBytes: 100, ofTenantBytesMax: 900, ofClientBytesMax: 900 })
  const [a, b, c] = ['a', 'b', 'c'].map((tenant) => all.open(client('x', tenant))) as [HeldBytes, HeldBytes, HeldBytes]
  assert.equal(taking(a, 701), 'server')
  assert.equal(taking(a, 700), undefined)
  assert.equal(taking(all.open(client('y', 'a')), 11), 'server')
  const polling = all.open(client('x', 'c'))
  assert.equal(taking(polling, 10), undefined, 'small requests count for nobody')
  assert.equal(taking(b, 91), 'server')
  assert.equal(taking(b, 90), undefined)
  assert.equal(taking(all.open(client('y', 'b')), 11), 'server')
  assert.equal(taking(all.open(address('n')), 11), 'server', 'neither does who is unknown')
  assert.equal(taking(c, 100), undefined)
  assert.equal(taking(all.open(client('x', 'd')), 11), 'server')
  a.become(0)
  assert.equal(taking(c, 600), undefined)
  assert.equal(taking(c, 1), 'server', 'whose last large request has ended has its room again')
})

test('small requests have room when the large ones have theirs, until all is taken', () => {
  const all = new BytesInFlight(bounds)
  for (const tenant of ['a', 'b']) assert.equal(taking(all.open(client('c', tenant)), 400), undefined)
  assert.equal(taking(all.open(client('c', 'c')), 101), 'server')
  assert.equal(taking(all.open(client('c', 'c')), 100), undefined)
  for (let count = 0; count < 10; count++) assert.equal(taking(all.open(address(`${count}`)), 10), undefined)
  assert.equal(all.held, 1_000)
  assert.equal(taking(all.open(address('x')), 1), 'server')
})

test('what grows from small to large is large', () => {
  const all = new BytesInFlight(bounds)
  for (const tenant of ['a', 'b']) all.open(client('c', tenant)).become(450)
  const held = all.open(client('d', 'd'))
  assert.equal(taking(held, 10), undefined)
  assert.equal(taking(held, 1), 'server')
})

test('callers whom nobody knows pay together by their address, until they are known', () => {
  const all = new BytesInFlight(bounds)
  const [first, second] = [all.open(address('192.0.2.1')), all.open(address('192.0.2.1'))]
  assert.equal(taking(first, 50), undefined)
  assert.equal(taking(second, 1), 'address')
  assert.equal(taking(all.open(address('192.0.2.2')), 50), undefined)
  first.paidBy(client('a'))
  assert.equal(taking(second, 50), undefined)
  assert.equal(taking(all.open(client('a')), 351), 'client')
  assert.equal(all.held, 150)
})

test('what is in memory already is counted, whatever there is room for', () => {
  const all = new BytesInFlight(bounds)
  const held = all.open(client('a'))
  held.become(5_000)
  assert.equal(all.held, 5_000)
  assert.equal(taking(all.open(client('b', 'other')), 1), 'server')
})

test('when all have given back, nobody is remembered', () => {
  const all = new BytesInFlight(bounds)
  const open = [client('a'), client('b'), client('a', 'neighbour'), address('192.0.2.1')].map((payer) =>
    all.open(payer),
  )
  for (const held of open) held.take(40)
  assert.equal(all.holders, 7)
  for (const held of open) held.become(0)
  assert.deepEqual([all.held, all.holders], [0, 0])
})

test('the largest body and the largest answer fit together; beside a client another one, beside a tenant another', () => {
  const largest = 2 * recordBytesMax
  const small = byteBounds.smallBytesMax
  assert.ok(byteBounds.ofClientBytesMax >= largest + small)
  assert.ok(byteBounds.ofTenantBytesMax - byteBounds.ofClientBytesMax >= recordBytesMax)
  const { largeOfAllBytesMax, leftForTenantBytes, tenantsMin } = byteBounds
  assert.ok(leftForTenantBytes >= recordBytesMax)
  assert.ok(largeOfAllBytesMax - (tenantsMin - 1) * leftForTenantBytes >= byteBounds.ofTenantBytesMax)
  assert.ok(byteBounds.allBytesMax - byteBounds.largeOfAllBytesMax > byteBounds.ofAddressBytesMax)
})
