import { type ChildProcess, execFileSync } from 'node:child_process'

/** All processes that a process has started, and those that they have. */
export function processesBelow(parent: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number))
  const below = (of: number): number[] =>
    pairs.filter(([, ppid]) => ppid === of).flatMap(([pid]) => [pid!, ...below(pid!)])
  return below(parent)
}

/** Sends a signal to each of them that is still there. */
export function signalAll(pids: readonly number[], signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

const ours = new Set<ChildProcess>()
let watching = false

/** Has a process killed when this one ends, however it does. */
export function endsWithUs(child: ChildProcess): void {
  if (!watching) process.once('exit', () => ours.forEach((each) => void each.kill('SIGKILL')))
  watching = true
  ours.add(child)
  child.once('exit', () => ours.delete(child))
}
