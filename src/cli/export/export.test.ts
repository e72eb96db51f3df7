import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  clientKey,
  exportScript,
  filePath,
  kickOffPath,
  sizeReached,
  temporaryDirectory,
} from '../../client/export.fixture.ts'
import {
  basePath,
  brokenAfter,
  ndjson,
  rest,
  type Script,
  startScripted,
} from '../../client/scripted-server.fixture.ts'

const program = `
import { exportCommand } from ${JSON.stringify(new URL('./export.ts', import.meta.url).href)}
await exportCommand(process.env).parseAsync(process.argv.slice(1), { from: 'user' }).catch((error) => {
  process.stderr.write(error.message + '\\n' + error.advice + '\\n')
  process.exitCode = error.exitCode
})`

interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A scripted server and the command as a process of its own, because it is to be killed. */
async function startCommand(context: TestContext, script: (out: string) => Script) {
  const directory = await temporaryDirectory(context)
  const out = join(directory, 'out')
  const server = await startScripted(script(out))
  context.after(server.stop)
  const key = join(directory, 'key.json')
  await writeFile(key, JSON.stringify(await clientKey()))
  const access = ['--server', `${server.origin}${basePath}`, '--client-id', 'app', '--key', key, '--out', out]
  const start = (...more: string[]): { child: ChildProcess; finished: Promise<Finished> } => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, '--', ...access, ...more])
    const finished = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]).then(
      ([[code], stdout, stderr]) => ({ code, stdout, stderr }),
    )
    return { child, finished }
  }
  return { server, directory, out, start, run: (...more: string[]) => start(...more).finished }
}

const patients = ndjson('Patient', ['1', '2'])
const goals = ndjson(
  'Goal',
  Array.from({ length: 500 }, (_, index) => `goal-${(index * 7919) % 500}`),
)
const packed = gzipSync(goals)
const tagged = { 'content-encoding': 'gzip', etag: '"g1"' }

test('--json prints one JSON object and nothing else', async (context) => {
  const { directory, server, out, run } = await startCommand(context, () =>
    exportScript([{ type: 'Patient', content: patients }]),
  )
  await writeFile(join(directory, 'patients.txt'), '# two\nPatient/2\n3\n')
  const { code, stdout } = await run('--patient', '1,2', '--patients-file', join(directory, 'patients.txt'), '--json')
  assert.equal(code, 0)
  const summary = JSON.parse(stdout)
  assert.equal(summary.job, `${server.origin}${basePath}/bulk-export/jobs/1`)
  assert.deepEqual(summary.totals, { files: 1, records: 2, bytes: patients.length, receivedBytes: patients.length })
  assert.equal(summary.files[0].path, join(out, 'Patient.1.ndjson'))
  const { parameter } = JSON.parse(server.seen(kickOffPath)[0]?.body ?? '')
  assert.deepEqual(
    parameter.map((each: { valueReference: { reference: string } }) => each.valueReference.reference),
    ['Patient/1', 'Patient/2', 'Patient/3'],
  )
})

test('a reader gets a table by type and the --since of the next export', async (context) => {
  const { run } = await startCommand(context, () =>
    exportScript([
      { type: 'Patient', content: patients },
      { type: 'Goal', content: goals },
    ]),
  )
  const { code, stdout } = await run('--patient', '1', '--type', 'Patient,Goal')
  assert.equal(code, 0)
  assert.match(stdout, /^Goal +1 +500 +/m)
  assert.match(stdout, /^Total +2 +502 +/m)
  assert.match(stdout, /--since 2026-01-02T03:04:05\.678Z/)
})

test('exit code 2 says that the files are not what they should be', async (context) => {
  const { run } = await startCommand(context, () => exportScript([{ type: 'Goal', content: patients }]))
  const { code, stdout, stderr } = await run('--patient', '1', '--json')
  assert.equal(code, 2)
  assert.equal(JSON.parse(stdout).problems.length, 1)
  assert.match(stderr, /line 1 is of type Patient, not Goal/)
})

test('after kill -9 the same command goes on with the same job and the bytes that are there', async (context) => {
  const killed: (() => void)[] = []
  const { server, out, start, run } = await startCommand(context, (directory) => {
    const stuck = brokenAfter(700, packed, tagged, async (count) => {
      await sizeReached(join(directory, 'Goal.1.ndjson.part'), count)
      killed.forEach((kill) => void kill())
    })
    return exportScript([
      { type: 'Patient', content: patients },
      { type: 'Goal', act: [stuck, rest(packed, tagged)] },
    ])
  })
  const first = start('--patient', '1')
  killed.push(() => first.child.kill('SIGKILL'))
  await first.finished
  const { code, stderr } = await run('--patient', '1')
  assert.equal(code, 0, stderr)
  assert.equal(await readFile(join(out, 'Goal.1.ndjson'), 'utf8'), goals)
  assert.equal(server.seen(kickOffPath).length, 1)
  assert.equal(server.seen(filePath(2))[1]?.headers.range, 'bytes=700-')
})

test('Ctrl-C leaves the job running and says how to go on', async (context) => {
  const interrupt: (() => void)[] = []
  const { server, start } = await startCommand(context, () =>
    exportScript([{ type: 'Patient', act: () => interrupt.forEach((send) => void send()) }]),
  )
  const { child, finished } = start('--patient', '1')
  interrupt.push(() => child.kill('SIGINT'))
  const { code, stderr } = await finished
  assert.equal(code, 130)
  assert.match(stderr, /goes on at the server.*\n.*same command again/)
  assert.ok(server.requests.every(({ method }) => method !== 'DELETE'))
})

test('flags that contradict each other are refused before anything is sent', async (context) => {
  const { server, run } = await startCommand(context, () => ({}))
  for (const [flags, message] of [
    [['--patient', '1', '--group', 'g'], /--group names the patients already/],
    [[], /No patient was named/],
    [['--patient', '1', '--parallel', '0'], /--parallel/],
    [['--patient', '1', '--since', 'yesterday'], /not an instant/],
    [['--patient', '1', '--key', '/nowhere'], /nowhere/],
  ] as const) {
    const { code, stderr } = await run(...flags)
    assert.equal(code, 1)
    assert.match(stderr, message)
  }
  assert.deepEqual(server.requests, [])
})
