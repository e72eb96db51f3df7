import type { Command } from 'commander'

/** Adds the options that name the store, which every command with a database takes. */
export function withStoreOptions(command: Command): Command {
  return command
    .option('--data <dir>', 'directory of the embedded database (MILLRACE_DATA; default ./millrace-data)')
    .option('--database-url <url>', 'use this PostgreSQL instead of the embedded one (MILLRACE_DATABASE_URL)')
}
