import { Command } from 'commander'
import type { Output } from '../output.ts'
import { tenantAddCommand } from './tenant-add.ts'
import { tenantListCommand, tenantShowCommand } from './tenant-list.ts'
import { tenantRemoveCommand } from './tenant-remove.ts'
import { tenantSetCommand } from './tenant-set.ts'

/** `millrace tenant`: the organisations of a store. */
export function tenantCommand(
  environment: Readonly<Record<string, string | undefined>>,
  output: Output = process.stdout,
): Command {
  return new Command('tenant')
    .description('add, show and remove tenants: the organisations whose data are kept apart')
    .addCommand(tenantAddCommand(environment, output))
    .addCommand(tenantListCommand(environment, output))
    .addCommand(tenantShowCommand(environment, output))
    .addCommand(tenantSetCommand(environment, output))
    .addCommand(tenantRemoveCommand(environment, output))
}
