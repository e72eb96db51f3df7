import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../bin/millrace', import.meta.url))

/** The launcher in a folder of its own, with a program that says which Node runs it. */
describe('bin/millrace', () => {
  let root: string
  let path: string

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'millrace-launcher-'))
    path = join(root, 'path')
    for (const folder of ['bin', 'src', 'path']) await mkdir(join(root, folder))
    await cp(launcher, join(root, 'bin/millrace'))
    for (const name of ['sh', 'dirname', 'readlink', 'basename']) {
      const found = ['/usr/bin', '/bin'].map((folder) => join(folder, name))
      await symlink(
        spawnSync('sh', ['-c', `ls ${found.join(' ')} | head -1`])
          .stdout.toString()
          .trim(),
        join(path, name),
      )
    }
  })
  afterEach(() => rm(root, { recursive: true }))

  /** A Node that says of which version it is, and what it was told to run. */
  async function addNode(folder: string, version: string): Promise<void> {
    await mkdir(folder, { recursive: true })
    const text = `#!/bin/sh\n[ "$1" = --version ] && echo ${version} || echo "${version} runs $@"\n`
    await writeFile(join(folder, 'node'), text)
    await chmod(join(folder, 'node'), 0o755)
  }
  const install = () => mkdir(join(root, 'node_modules/pg'), { recursive: true })

  function run() {
    const { status, stdout, stderr } = spawnSync(join(root, 'bin/millrace'), ['serve'], { env: { PATH: path } })
    return { status, said: `${stdout}${stderr}` }
  }

  function assertRuns(version: string): void {
    const { status, said } = run()
    assert.equal(status, 0)
    assert.ok(said.startsWith(`${version} runs `) && said.endsWith(` ${join(root, 'src/main.ts')} serve\n`), said)
  }

  it('runs on the Node that was installed with it, whatever the machine has', async () => {
    await install()
    await addNode(path, 'v20.1.0')
    await addNode(join(root, 'node_modules/node/bin'), 'v24.21.0')
    assertRuns('v24.21.0')
  })

  for (const version of ['v24.0.0', 'v25.1.0', 'v30.0.0']) {
    it(`installed without it, runs on ${version} of the machine`, async () => {
      await install()
      await addNode(path, version)
      assertRuns(version)
    })
  }

  for (const version of ['v20.19.0', 'v22.1.0', 'v23.11.0', undefined]) {
    it(`installed without it, says what is needed where the machine has ${version ?? 'no Node'}`, async () => {
      await install()
      if (version !== undefined) await addNode(path, version)
      const { status, said } = run()
      assert.equal(status, 1)
      assert.match(said, new RegExp(`^millrace: Node 24 or later is needed, and ${version ?? 'no Node'} is in PATH\\.`))
      assert.match(said, /npm ci/)
    })
  }

  it('says what to do where nothing is installed', async () => {
    await addNode(path, 'v24.0.0')
    const { status, said } = run()
    assert.equal(status, 1)
    assert.match(said, /its packages are missing\. Run 'npm ci'/)
  })
})
