import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashClientSecret, newClientSecret, SecretChecks } from './client-secret.ts'

test('B24: a secret is known by its hash, and two hashes of it differ', async () => {
  const checks = new SecretChecks()
  const secret = newClientSecret()
  const hashes = await Promise.all([hashClientSecret(secret), hashClientSecret(secret)])
  assert.notEqual(hashes[0], hashes[1])
  for (const hash of hashes) {
    assert.equal(await checks.check(secret, hash), true)
    assert.equal(await checks.check(newClientSecret(), hash), false)
  }
})

test('the parameters that are stored beside a hash are the ones that count', async () => {
  const older = 'scrypt$1024$8$1$c2FsdA$FtvIkGdjx_BIl3po-dMF93EOBoyizZXas3ISW7Pxlgg'
  assert.equal(await new SecretChecks().check('password', older), true)
  await assert.rejects(new SecretChecks().check('password', 'md5$x'), /unknown form/)
})

test('without a hash nothing is known', async () => {
  assert.equal(await new SecretChecks().check('secret', undefined), false)
})

test('a secret of 256 characters is looked at, a longer one never right', async () => {
  const checks = new SecretChecks()
  const longest = 'x'.repeat(256)
  const hash = await hashClientSecret(longest)
  assert.equal(await checks.check(longest, hash), true)
  assert.equal(await checks.check(`${longest}x`, hash), false)
})

test('B25: two checks run, 64 wait, the rest is turned away; afterwards there is room again', async () => {
  const checks = new SecretChecks()
  const secret = newClientSecret()
  const hash = await hashClientSecret(secret)
  const answers = await Promise.all(Array.from({ length: 100 }, () => checks.check(secret, hash)))
  assert.deepEqual(
    answers.map((answer, index) => (index < 66 ? answer === true : answer === 'busy')),
    Array(100).fill(true),
  )
  assert.equal(await checks.check(secret, hash), true)
})
