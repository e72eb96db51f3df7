import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { Bucket } from './bucket.ts'
import { parseS3Url } from './s3-url.ts'

test('an endpoint of the environment, which may be one without TLS, is not taken', async () => {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: 'http://other.example.org',
    AWS_ENDPOINT_URL_S3: 'http://s3.example.org',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
  })
  const bucket = await Bucket.open(parseS3Url('s3://exports/of?region=eu-west-1'), () => {})
  const { protocol, host } = new URL(await getSignedUrl(bucket.client, new GetObjectCommand(bucket.at('file'))))
  assert.deepEqual([protocol, host], ['https:', 'exports.s3.eu-west-1.amazonaws.com'])
  bucket.client.destroy()
})
