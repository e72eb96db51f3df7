import { inspect } from 'node:util'
import { Command, CommanderError } from 'commander'
import about from '../package.json' with { type: 'json' }
import { adminCommand } from './cli/admin.ts'
import { auditCommand } from './cli/audit/audit.ts'
import { clientCommand } from './cli/client/client.ts'
import { demoCommand } from './cli/demo.ts'
import { exportCommand } from './cli/export/export.ts'
import { tokenCommand } from './cli/export/token.ts'
import { issuerCommand } from './cli/issuer.ts'
import { jobCommand } from './cli/job/job.ts'
import { keyCommand } from './cli/key.ts'
import { generateCommand } from './cli/load/generate.ts'
import { loadCommand } from './cli/load/load.ts'
import { packCommand } from './cli/load/pack.ts'
import { maskErrors, maskPasswords } from './cli/masked-password.ts'
import { serveCommand } from './cli/serve/serve.ts'
import { statusCommand } from './cli/status-page.ts'
import { tenantCommand } from './cli/tenant/tenant.ts'
import { databaseGone } from './cli/with-database.ts'
import { Failure } from './failure.ts'
import { isOutage } from './http/database-outage.ts'

const help = `
Start here:
  $ npm run demo                                 a whole export, from patients to files
  $ bin/millrace serve --sandbox                 a server with made-up patients, for people who write clients

With data of your own:
  $ bin/millrace tenant add clinic
  $ bin/millrace load --tenant clinic PATH
  $ bin/millrace client add --tenant clinic --name my-app --scope "system/*.read" --generate-key my-app.jwk.json
  $ bin/millrace serve

Every command has --help.`

/** The program: one command of `cli/` each. */
function program(): Command {
  const { env } = process
  const root = new Command('millrace')
    .description('A FHIR R4 bulk export server.')
    .version(about.version)
    .addHelpText('after', help)
    .showHelpAfterError('(add --help for what is allowed)')
  root.addCommand(serveCommand(env))
  root.addCommand(statusCommand(env))
  root.addCommand(tenantCommand(env))
  root.addCommand(clientCommand(env))
  root.addCommand(jobCommand(env))
  root.addCommand(keyCommand(env))
  root.addCommand(issuerCommand(env))
  root.addCommand(tokenCommand())
  root.addCommand(loadCommand(env))
  root.addCommand(packCommand(env))
  root.addCommand(auditCommand(env))
  root.addCommand(adminCommand(env))
  root.addCommand(exportCommand(env))
  root.addCommand(generateCommand())
  root.addCommand(demoCommand())
  return maskErrors(root)
}

/** As of a program that SIGPIPE has ended: 128 and the number of the signal. */
const readerGoneExitCode = 141

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(readerGoneExitCode)
})

try {
  await program().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode
  else if (error instanceof Failure) tell(error)
  else if (isOutage(error)) tell(databaseGone(error))
  else tellUnexpected(error)
}

/**
 * A fault of the program: everything that helps to find it, but for passwords, which messages of drivers may quote. What is still open
 * does not keep the program.
 */
function tellUnexpected(error: unknown): never {
  process.stderr.write(`${maskPasswords(inspect(error))}\n`)
  process.exit(1)
}

function tell({ message, advice, exitCode }: Failure): void {
  process.stderr.write(`millrace: ${message}\n${advice}\n`)
  process.exitCode = exitCode
}
