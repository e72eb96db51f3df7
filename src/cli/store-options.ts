import type { Command } from 'commander'
import type { StoreFlags } from '../config.ts'

/** Adds the options that name the store, which every command with a database takes. */
export function withStoreOptions(command: Command): Command {
  return command
    .option('--data <dir>', 'directory of the embedded database (MILLRACE_DATA; default ./millrace-data)')
    .option('--database-url <url>', 'use this PostgreSQL instead of the embedded one (MILLRACE_DATABASE_URL)')
    .hook('preAction', (_command, action) => warnOfPassword(action.opts<StoreFlags>()))
}

/** Arguments stand in the list of processes, which every account of the machine may read: until now, when the title takes their place. */
function warnOfPassword({ databaseUrl = '' }: StoreFlags): void {
  if (!hasPassword(databaseUrl)) return
  process.title = 'millrace'
  process.stderr.write(
    'Warning: everybody on this machine can read the password in --database-url, at least while a command starts. Use MILLRACE_DATABASE_URL or PGPASSFILE.\n',
  )
}

function hasPassword(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { password, searchParams } = new URL(url)
  return password !== '' || searchParams.has('password')
}
