import { Command } from 'commander'
import type { Output } from '../output.ts'
import { clientAddCommand } from './client-add.ts'
import { clientListCommand, clientShowCommand } from './client-list.ts'
import { clientRemoveCommand } from './client-remove.ts'
import { clientRotateCommand } from './client-rotate.ts'
import { clientDisableCommand, clientEnableCommand } from './client-switch.ts'

/** `millrace client`: the applications that may call. */
export function clientCommand(
  environment: Readonly<Record<string, string | undefined>>,
  output: Output = process.stdout,
): Command {
  return new Command('client')
    .description('register, show, disable, rotate and remove client applications')
    .addCommand(clientAddCommand(environment, output))
    .addCommand(clientListCommand(environment, output))
    .addCommand(clientShowCommand(environment, output))
    .addCommand(clientDisableCommand(environment, output))
    .addCommand(clientEnableCommand(environment, output))
    .addCommand(clientRotateCommand(environment, output))
    .addCommand(clientRemoveCommand(environment, output))
}
