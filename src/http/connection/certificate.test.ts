import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, createServer, type Server } from 'node:tls'
import pino from 'pino'
import { certificateOne, certificateTwo } from '../../../test/certificates.ts'
import { Failure } from '../../failure.ts'
import { Certificate } from './certificate.ts'

interface Opened {
  readonly directory: string
  readonly certificate: Certificate
  readonly server: Server
  /** What was logged: level and message. */
  readonly logged: { readonly level: number; readonly msg: string }[]
}

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-certificate-'))
  t.after(() => rm(directory, { recursive: true }))
  return directory
}

/** A TLS server on a certificate of files that the test replaces. `within` is the folder of the files as the server knows it. */
async function opened(t: TestContext, directory: string, within = directory): Promise<Opened> {
  const logged: Opened['logged'] = []
  const log = pino({}, { write: (line) => logged.push(JSON.parse(line)) })
  const certificate = await Certificate.open({ cert: join(within, 'tls.crt'), key: join(within, 'tls.key') }, log)
  const server = createServer(certificate.options, (socket) => socket.end())
  server.on('tlsClientError', () => {})
  certificate.follow(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    certificate.close()
    server.close()
  })
  return { directory, certificate, server, logged }
}

async function writePair(directory: string, pair: { readonly cert: string; readonly key: string }): Promise<void> {
  await writeFile(join(directory, 'tls.crt'), pair.cert)
  await writeFile(join(directory, 'tls.key'), pair.key)
}

/** The name in the certificate that a new connection is shown. */
async function shown({ server }: Opened, more: ConnectionOptions = {}): Promise<unknown> {
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...more })
  await once(socket, 'secureConnect')
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  return CN
}

const named = { servername: 'localhost' }

test('a pair that is replaced by renaming is shown to new connections, by name and by address', async (t) => {
  const directory = await folder(t)
  await writePair(directory, certificateOne)
  const it = await opened(t, directory)
  assert.deepEqual([await shown(it), await shown(it, named)], ['millrace-test-one', 'millrace-test-one'])
  await mkdir(join(directory, 'new'))
  await writePair(join(directory, 'new'), certificateTwo)
  for (const name of ['tls.crt', 'tls.key']) await rename(join(directory, 'new', name), join(directory, name))
  await it.certificate.reload()
  assert.deepEqual([await shown(it), await shown(it, named)], ['millrace-test-two', 'millrace-test-two'])
  assert.deepEqual(it.logged.at(-1)?.msg, 'certificate replaced')
})

test('a folder that is swapped behind a symbolic link, as Kubernetes does it, is followed', async (t) => {
  const directory = await folder(t)
  for (const [name, pair] of Object.entries({ one: certificateOne, two: certificateTwo })) {
    await mkdir(join(directory, name))
    await writePair(join(directory, name), pair)
  }
  await symlink('one', join(directory, 'data'))
  const it = await opened(t, directory, join(directory, 'data'))
  assert.equal(await shown(it), 'millrace-test-one')
  await symlink('two', join(directory, 'next'))
  await rename(join(directory, 'next'), join(directory, 'data'))
  await it.certificate.reload()
  assert.equal(await shown(it), 'millrace-test-two')
})

const badPairs: Readonly<Record<string, (directory: string) => Promise<void>>> = {
  'a certificate whose key is another': (directory) => writeFile(join(directory, 'tls.crt'), certificateTwo.cert),
  'a certificate that is no PEM': (directory) => writeFile(join(directory, 'tls.crt'), 'not PEM'),
  'a certificate that is half written': (directory) =>
    writeFile(join(directory, 'tls.crt'), certificateOne.cert.slice(0, 300)),
  'a key that is gone': (directory) => rm(join(directory, 'tls.key')),
  'a file above 1 MiB': (directory) => writeFile(join(directory, 'tls.crt'), Buffer.alloc(1024 * 1024 + 1, 0x20)),
}

for (const [what, spoil] of Object.entries(badPairs)) {
  test(`${what} is told once and not used; what comes after it is`, async (t) => {
    const directory = await folder(t)
    await writePair(directory, certificateOne)
    const it = await opened(t, directory)
    await spoil(directory)
    await it.certificate.reload()
    await it.certificate.reload()
    assert.deepEqual([await shown(it), await shown(it, named)], ['millrace-test-one', 'millrace-test-one'])
    assert.equal(it.logged.filter(({ level }) => level === 50).length, 1)
    await writePair(directory, certificateTwo)
    await it.certificate.reload()
    assert.equal(await shown(it), 'millrace-test-two')
  })

  test(`${what} ends the start with advice`, async (t) => {
    const directory = await folder(t)
    await writePair(directory, certificateOne)
    await spoil(directory)
    await assert.rejects(opened(t, directory), (error) => error instanceof Failure && /tls\.crt/.test(error.message))
  })
}

test('a file of exactly 1 MiB is read', async (t) => {
  const directory = await folder(t)
  await writePair(directory, { ...certificateOne, cert: certificateOne.cert.padEnd(1024 * 1024, '\n') })
  assert.equal(await shown(await opened(t, directory)), 'millrace-test-one')
})

test('B1: TLS 1.2 and 1.3 are spoken, 1.1 and ciphers without forward secrecy are not', async (t) => {
  const directory = await folder(t)
  await writePair(directory, certificateOne)
  const it = await opened(t, directory)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    assert.equal(await shown(it, { minVersion: version, maxVersion: version }), 'millrace-test-one')
  }
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  await assert.rejects(shown(it, old))
  await assert.rejects(shown(it, { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES256-SHA256' }))
})
