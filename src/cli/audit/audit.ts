import { Command } from 'commander'
import type { Output } from '../output.ts'
import { auditExportCommand } from './audit-export.ts'
import { auditVerifyCommand } from './audit-verify.ts'

/** `millrace audit`: the record of who did what. */
export function auditCommand(
  environment: Readonly<Record<string, string | undefined>>,
  output: Output = process.stdout,
): Command {
  return new Command('audit')
    .description('verify and export the audit trail')
    .addCommand(auditVerifyCommand(environment, output))
    .addCommand(auditExportCommand(environment, output))
}
