import type { Command } from 'commander'

/** The password in a PostgreSQL URL: behind the user, or as a parameter. */
const ofUser = /(\bpostgres(?:ql)?:\/\/[^\s:@/?#]*:)[^\s@]*@/gi
const asParameter = /([?&]password=)[^\s&#]*/gi

/** A text without the passwords of database URLs in it: the parser of the command line quotes arguments that it does not know. */
export const maskPasswords = (text: string): string => text.replace(ofUser, '$1***@').replace(asParameter, '$1***')

/** What the parser says of this command and all below it, with passwords masked. */
export function maskErrors(command: Command): Command {
  command.configureOutput({ writeErr: (text) => process.stderr.write(maskPasswords(text)) })
  for (const below of command.commands) maskErrors(below)
  return command
}
