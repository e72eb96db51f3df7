import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Who may use the gateway: the one owns the buckets of the tests, the other one has what a bucket policy gives. */
export const gatewayUsers = {
  owner: { accessKeyId: 'millraceowner', secretAccessKey: 'owner-of-the-buckets' },
  guest: { accessKeyId: 'millraceguest', secretAccessKey: 'guest-of-the-buckets' },
} as const

/** Far longer than a busy machine takes. */
const readyMsMax = 120_000
const askedEveryMs = 200

/** An S3 of Ceph on loopback that lives in memory: a monitor, a store and a gateway. */
export class CephCluster {
  readonly #directory: string
  readonly #children: ChildProcess[] = []
  endpoint = ''

  private constructor(directory: string) {
    this.#directory = directory
  }

  static async start(): Promise<CephCluster> {
    const cluster = new CephCluster(await mkdtemp(join(tmpdir(), 'millrace-ceph-')))
    try {
      await cluster.#start()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const gone = once(child, 'exit')
        child.kill('SIGKILL')
        await gone
      }),
    )
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #start(): Promise<void> {
    const [first, second, gateway] = await Promise.all([freePort(), freePort(), freePort()])
    const fsid = randomUUID()
    const addresses = `[v2:127.0.0.1:${first},v1:127.0.0.1:${second}]`
    await mkdir(join(this.#directory, 'run'))
    await writeFile(join(this.#directory, 'ceph.conf'), settings(this.#directory, fsid, addresses, gateway))
    const map = join(this.#directory, 'monmap')
    await run('monmaptool', ['--create', '--addv', 'a', addresses, '--fsid', fsid, map])
    await this.#run('ceph-mon', ['--mkfs', '-i', 'a', '--monmap', map])
    this.#spawn('ceph-mon', ['-f', '-i', 'a'])
    const store = randomUUID()
    await this.#run('ceph', ['osd', 'new', store])
    await mkdir(join(this.#directory, 'osd'), { recursive: true })
    await this.#run('ceph-osd', ['--mkfs', '-i', '0', '--osd-uuid', store])
    this.#spawn('ceph-osd', ['-f', '-i', '0'])
    this.#spawn('radosgw', ['-f', '-n', 'client.admin'])
    for (const [name, { accessKeyId, secretAccessKey }] of Object.entries(gatewayUsers)) {
      const keys = ['--access-key', accessKeyId, '--secret-key', secretAccessKey]
      await this.#run('radosgw-admin', ['user', 'create', '--uid', name, '--display-name', name, ...keys])
    }
    this.endpoint = `http://127.0.0.1:${gateway}`
    await answers(this.endpoint)
  }

  #run(command: string, flags: readonly string[]): Promise<unknown> {
    return run(command, [...flags, '-c', join(this.#directory, 'ceph.conf')], { timeout: readyMsMax })
  }

  /** The processes end with this one, however it ends. */
  #spawn(command: string, flags: readonly string[]): void {
    const all = ['--pdeathsig', 'KILL', command, ...flags, '-c', join(this.#directory, 'ceph.conf')]
    this.#children.push(spawn('setpriv', all, { stdio: 'ignore' }))
  }
}

async function answers(endpoint: string): Promise<void> {
  const began = performance.now()
  for (;;) {
    const answer = await fetch(endpoint).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    if (performance.now() - began > readyMsMax) throw new Error('the gateway does not answer')
    await pause(askedEveryMs)
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const settings = (directory: string, fsid: string, addresses: string, gateway: number): string => `
[global]
fsid = ${fsid}
mon initial members = a
mon host = ${addresses}
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms cluster mode = crc
ms service mode = crc
ms client mode = crc
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
mon data = ${directory}/mon
osd data = ${directory}/osd
run dir = ${directory}/run
admin socket = ${directory}/run/$name.asok
log file = ${directory}/$name.log
public addr = 127.0.0.1
cluster addr = 127.0.0.1
[client.admin]
rgw frontends = beast endpoint=127.0.0.1:${gateway}
rgw dns name = 127.0.0.1
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
`
