import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const biome = fileURLToPath(new URL('../node_modules/@biomejs/biome/bin/biome', import.meta.url))

/** The text of a generated source file, formatted as the rest of the sources. */
export function formatted(text: string, file: URL): string {
  const run = spawnSync(process.execPath, [biome, 'format', `--stdin-file-path=${fileURLToPath(file)}`], {
    input: text,
    encoding: 'utf8',
  })
  if (run.status !== 0) throw new Error(run.stderr)
  return run.stdout
}
