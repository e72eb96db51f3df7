import { Command } from 'commander'
import type { Output } from '../output.ts'
import { jobCancelCommand, jobDeleteCommand } from './job-end.ts'
import { jobListCommand } from './job-list.ts'
import { jobShowCommand } from './job-show.ts'

/** `millrace job`: the exports of all clients. */
export function jobCommand(
  environment: Readonly<Record<string, string | undefined>>,
  output: Output = process.stdout,
): Command {
  return new Command('job')
    .description('list, show, cancel and delete the exports of all clients')
    .addCommand(jobListCommand(environment, output))
    .addCommand(jobShowCommand(environment, output))
    .addCommand(jobCancelCommand(environment, output))
    .addCommand(jobDeleteCommand(environment, output))
}
