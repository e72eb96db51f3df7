import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = realpathSync(fileURLToPath(new URL('..', import.meta.url)))

/** Without the excludes of whoever runs the test, and also in a clone of somebody else. */
const git = (args: readonly string[], input = '') =>
  spawnSync('git', ['-c', 'core.excludesFile=/dev/null', '-c', 'safe.directory=*', ...args], {
    cwd: root,
    input,
    encoding: 'utf8',
  })

const isClone = git(['rev-parse', '--show-toplevel']).stdout?.trim() === root
const skip = isClone ? false : 'NOT CHECKED: this is no git clone, or git is not there'

/** What no command line of a guide names, but comes of them. */
const unnamed = [
  'millrace-data/postgres/base/1/1',
  'millrace-data/files/1/1-1/Patient-1.ndjson.gz',
  'millrace-data/sandbox-client.jwk.json',
  'millrace.tar.gz',
  'millrace-files/1/1-1/Patient-1.ndjson.gz',
  'tls.crt',
  'tls.key',
  'tls.pem',
  'Patient.ndjson',
  '.millrace/bench/client.jwk.json',
]

/** What an option or a redirection names: a folder or file that is written, a file with keys or ids. */
const writes = [
  /--(?:data|out) (?:\.\/)?([\w.][\w./-]*)/g,
  /(?:--(?:generate-key|key|introspection-secret-file|patients-file) |--file=| -o |--json > )([\w-]+\.[\w.-]*\w)/g,
]

/** Relative paths in the command lines of the guides and of the help. Words in capitals stand for others. */
function named(): string[] {
  const files = ['docs', 'src/cli'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  const guides = ['README.md', ...files.filter((file) => /\.(md|ts)$/.test(file) && !file.endsWith('.test.ts'))]
  const texts = guides.map((file) => readFileSync(join(root, file), 'utf8'))
  const paths = writes.flatMap((pattern) =>
    texts.flatMap((text) => Array.from(text.matchAll(pattern), ([, path]) => path!)),
  )
  return paths.filter((path) => path !== path.toUpperCase())
}

test('health data and keys that the guides let a reader make in a clone are ignored by git', { skip }, () => {
  const found = named()
  for (const path of ['export', 'my-app.jwk.json', 'clinic.ndjson', 'population', 'heads-2026-11-23.json']) {
    assert.ok(found.includes(path), `${path} was not found in the guides`)
  }
  // A folder is one by what lies in it.
  const paths = [...new Set([...unnamed, ...found])].map((path) => (path.includes('.') ? path : `${path}/any`))
  const ignored = git(['check-ignore', '--verbose', '--stdin'], paths.join('\n')).stdout.split('\n')
  const ours = ignored.filter((line) => line.startsWith('.gitignore:')).map((line) => line.split('\t')[1])
  assert.deepEqual(
    paths.filter((path) => !ours.includes(path)),
    [],
  )
})

test('no file of the repository is ignored', { skip }, () => {
  assert.equal(git(['ls-files', '--cached', '--ignored', '--exclude-standard']).stdout, '')
})
