import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Failure } from '../src/failure.ts'

/** The program as users start it. */
export const millrace = fileURLToPath(new URL('../bin/millrace', import.meta.url))

/** Runs one command of the program, or another one, and tells how long it took from start to end. */
export async function run(
  command: string,
  words: readonly string[],
  { environment, signal }: { readonly environment: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<{ readonly seconds: number; readonly output: string }> {
  const started = performance.now()
  const child = spawn(command, words, { env: environment, signal, stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code !== 0) {
    throw new Failure(
      `${[command === millrace ? 'bin/millrace' : command, ...words].join(' ')} ended with ${code}: ${errors.trim()}`,
      'Mend what it says, and run the benchmark again.',
    )
  }
  return { seconds: (performance.now() - started) / 1000, output }
}
