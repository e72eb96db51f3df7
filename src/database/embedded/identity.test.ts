import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ended, type Program, program, query, scratch, serverOf, until } from './embedded.fixture.ts'

const nobody = 65534
const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups']
const isRoot = process.geteuid?.() === 0

/** Why a test that changes users cannot run here, or false. */
function obstacle(): string | false {
  if (!isRoot) return 'SKIPPED: only root can start programs as other users'
  const [command = '', ...rest] = [...asNobody, process.execPath, '--check', import.meta.filename]
  return spawnSync(command, rest).status === 0 ? false : 'SKIPPED: user nobody cannot read this checkout'
}

const userOf = (pid: number) => statSync(`/proc/${pid}`).uid

test('an ordinary user runs the server as itself', { skip: obstacle() }, async (t) => {
  const directory = scratch(t)
  chownSync(dirname(directory), nobody, nobody)
  const ordinary = program(t, directory, asNobody)
  const { connection } = await ordinary.next('ready')
  assert.equal(userOf(serverOf(directory)), nobody)
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  assert.equal((await query(connection, 'select 1')).rowCount, 1)
  await ordinary.kill()
  await ended(directory)
})

test('root runs the server of a user as that user, and leaves the directory usable for both', {
  skip: obstacle(),
}, async (t) => {
  const directory = scratch(t)
  mkdirSync(directory, { mode: 0o700 })
  chownSync(dirname(directory), nobody, nobody)
  chownSync(directory, nobody, nobody)
  const root = program(t, directory)
  await root.next('ready')
  assert.equal(userOf(serverOf(directory)), nobody)
  const ordinary = program(t, directory, asNobody)
  await ordinary.next('ready')
  await root.release()
  await ordinary.release()
  await ended(directory)
  const alone = program(t, directory, asNobody)
  await alone.next('ready')
  await alone.release()
})

test('root without user namespaces gives the database to nobody', { skip: obstacle() }, async (t) => {
  const directory = scratch(t)
  chmodSync(dirname(directory), 0o711)
  const confined = await withoutUserNamespaces(t, directory)
  if (confined === undefined) return
  const { connection } = await confined.next('ready')
  assert.equal(userOf(serverOf(directory)), nobody)
  assert.equal(statSync(join(directory, 'postgres')).uid, nobody)
  assert.equal(statSync(directory).uid, 0)
  assert.equal((await query(connection, 'select 1')).rowCount, 1)
  await confined.release()
  const free = program(t, directory)
  await free.next('ready')
  assert.equal(userOf(serverOf(directory)), nobody)
  await free.release()
})

test('where nobody cannot reach the data directory either, the failure names --database-url', {
  skip: obstacle(),
}, async (t) => {
  const confined = await withoutUserNamespaces(t, scratch(t))
  if (confined === undefined) return
  const { message, advice } = await confined.next('failed')
  assert.match(message ?? '', /cannot run here: .*unshare.*; .*cd/)
  assert.match(advice ?? '', /--database-url/)
})

/** Starts a program as root of a user namespace with all users, in which no further user namespace can be made. */
async function withoutUserNamespaces(t: TestContext, directory: string): Promise<Program | undefined> {
  const limit = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
  const enter = `read -r go; exec setpriv --reuid=0 --regid=0 --clear-groups sh -c '${limit}' sh "$@"`
  const confined = program(t, directory, ['unshare', '--user', 'sh', '-c', enter, 'sh'])
  const { pid } = confined.child
  const own = readlinkSync('/proc/self/ns/user')
  await until(() => readlinkSync(`/proc/${pid}/ns/user`) !== own, 'the namespace is there')
  try {
    for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${pid}/${map}`, '0 0 65536')
  } catch (error) {
    t.skip(`SKIPPED: this machine does not let us map users: ${error}`)
    return undefined
  }
  confined.child.stdin?.end('go\n')
  return confined
}
