import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { Failure } from '../../failure.ts'
import { clearEndpoints, parseS3Url } from './s3-url.ts'

test('a bucket alone is one of AWS', () => {
  const plain = { kind: 's3', bucket: 'exports', prefix: '', pathStyle: false, links: true }
  assert.deepEqual(parseS3Url('s3://exports'), plain)
  assert.deepEqual(parseS3Url('s3://exports/'), plain)
})

test('all that can be said', () => {
  const text =
    's3://exports/of/us/?endpoint=https://s3.example.org/&link-endpoint=https://out.example.org&region=eu-central-1' +
    '&path-style=0&ca=ca.pem&encryption=aws:kms&kms-key=arn:aws:kms:eu:1:key/2&links=0'
  assert.deepEqual(parseS3Url(text), {
    kind: 's3',
    bucket: 'exports',
    prefix: 'of/us/',
    endpoint: 'https://s3.example.org',
    linkEndpoint: 'https://out.example.org',
    region: 'eu-central-1',
    pathStyle: false,
    ca: resolve('ca.pem'),
    encryption: { algorithm: 'aws:kms', key: 'arn:aws:kms:eu:1:key/2' },
    links: false,
  })
})

test('an endpoint of your own has the bucket in the path', () => {
  assert.equal(parseS3Url('s3://exports?endpoint=https://s3.example.org').pathStyle, true)
})

const wrong: readonly (readonly [string, RegExp])[] = [
  ['s3://', /names no bucket|no URL/],
  ['s3://ab', /names no bucket/],
  [`s3://${'a'.repeat(64)}`, /names no bucket/],
  ['s3://Exports_', /names no bucket/],
  ['s3://key:secret@exports', /credentials/],
  ['s3://exports/a%20b', /prefix of other letters/],
  ['s3://exports/a//b', /prefix of other letters/],
  ['s3://exports#x', /#/],
  ['s3://exports?endpiont=https://s3.example.org', /says endpiont, which is none of endpoint, /],
  ['s3://exports?region=a&region=b', /region twice/],
  ['s3://exports?region=', /says nothing for region/],
  ['s3://exports?endpoint=s3.example.org', /endpoint that is no http/],
  ['s3://exports?endpoint=ftp://s3.example.org', /endpoint that is no http/],
  ['s3://exports?endpoint=https://key:secret@s3.example.org', /endpoint that is no http/],
  ['s3://exports?links=yes', /links=yes, which is 1 or 0/],
  ['s3://exports?encryption=rot13', /one of AES256, aws:kms, aws:kms:dsse/],
  ['s3://exports?kms-key=k', /no encryption/],
  ['s3://exports?encryption=AES256&kms-key=k', /without one/],
]
for (const [text, says] of wrong) {
  test(`${text} is refused`, () => {
    assert.throws(
      () => parseS3Url(text),
      (error: unknown) => error instanceof Failure && says.test(error.message) && !error.message.includes('secret'),
    )
  })
}

test('63 letters are a bucket, 3 are', () => {
  assert.equal(parseS3Url(`s3://${'a'.repeat(63)}`).bucket.length, 63)
  assert.equal(parseS3Url('s3://abc').bucket, 'abc')
})

test('clear text is seen, but on this machine', () => {
  const clear = (endpoint: string, more = '') => clearEndpoints(parseS3Url(`s3://exports?endpoint=${endpoint}${more}`))
  for (const endpoint of [
    'http://127.0.0.1:9000',
    'http://localhost:9000',
    'http://[::1]:9000',
    'https://s3.example.org',
  ])
    assert.deepEqual(clear(endpoint), [], endpoint)
  for (const endpoint of ['http://s3.example.org', 'http://127.0.0.1.example.org'])
    assert.deepEqual(clear(endpoint), [endpoint])
  const link = 'http://out.example.org'
  assert.deepEqual(clear('https://s3.example.org', `&link-endpoint=${link}`), [link])
})
