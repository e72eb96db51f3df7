import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { Pool } from 'pg'
import { type ChainHead, type ChainReport, countAuditEntries, verifyChains } from '../../audit/chain.ts'
import { storeChain } from '../../audit/entry.ts'
import type { StoreFlags } from '../../config.ts'
import { transaction } from '../../database/transaction.ts'
import { Failure } from '../../failure.ts'
import { type Output, printJson, printTable } from '../output.ts'
import { progressBar } from '../progress-bar.ts'
import { withStoreOptions } from '../store-options.ts'
import { withDatabase } from '../with-database.ts'

interface Flags extends StoreFlags {
  readonly expect?: string
  readonly json?: boolean
}

const help = `
Computes the chain of every tenant, and that of the store, from the first entry to the last. An entry that was changed, removed or put
in is named, and the exit code is 1. Entries that were cut off at the end by somebody who could also change the head show only against
heads that were kept elsewhere: keep the JSON of a verification in another place, and give it to the next one with --expect.

Examples:
  $ bin/millrace audit verify
  $ bin/millrace audit verify --json > heads-2026-11-23.json
  $ bin/millrace audit verify --expect heads-2026-11-23.json`

/** `millrace audit verify`: proves that the audit trail is whole. */
export function auditVerifyCommand(environment: Readonly<Record<string, string | undefined>>, output: Output): Command {
  return withStoreOptions(new Command('verify'))
    .description('prove that no entry was changed or removed')
    .option('--expect <file>', 'the JSON of an earlier verification, whose heads must still be there')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (flags: Flags) => {
      const expected = flags.expect === undefined ? [] : await readHeads(flags.expect)
      const report = await withDatabase(flags, environment, (pool) => verify(pool, expected, flags.json ?? false))
      if (flags.json) printJson(output, describe(report))
      else print(output, report)
      if (report.faultCount === 0) return
      throw new Failure(
        `The audit trail is not whole: ${report.faultCount} faults.`,
        'Find out who could write to the database, and compare with a backup and with exported entries.',
      )
    })
}

/** Verifies one snapshot, whatever is appended meanwhile. */
function verify(pool: Pool, expected: readonly ChainHead[], quiet: boolean): Promise<ChainReport> {
  return transaction(pool, async (client) => {
    await client.query('set transaction isolation level repeatable read, read only')
    const entries = await countAuditEntries(client)
    const bar = progressBar('Verifying', entries, quiet)
    try {
      return await verifyChains(client, expected, (done) => bar.update(done, `${done} entries`))
    } finally {
      bar.stop()
    }
  })
}

async function readHeads(file: string): Promise<readonly ChainHead[]> {
  const advice = 'Give a file that "bin/millrace audit verify --json" has printed.'
  try {
    const { chains } = JSON.parse(await readFile(file, 'utf8')) as { chains?: unknown }
    // With none, everything would be as expected.
    if (Array.isArray(chains) && chains.length > 0 && chains.every(isHead)) return chains
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'it is not JSON' : (error as NodeJS.ErrnoException).code
    throw new Failure(`The heads in ${file} cannot be read: ${reason}.`, advice, { cause: error })
  }
  throw new Failure(`${file} holds no heads of chains.`, advice)
}

function isHead(value: unknown): value is ChainHead {
  const { tenant, entries, hash } = (value ?? {}) as Record<string, unknown>
  return typeof tenant === 'string' && Number.isSafeInteger(entries) && /^[0-9a-f]{64}$/.test(String(hash))
}

const describe = ({ chains, entries, faults, faultCount, timesBack }: ChainReport) => ({
  verified: faultCount === 0,
  entries,
  chains,
  faults,
  fault_count: faultCount,
  times_back: timesBack,
})

const chainName = (tenant: string): string => (tenant === storeChain ? '(store)' : tenant)

function print(output: Output, { chains, entries, faults, faultCount, timesBack }: ChainReport): void {
  for (const { tenant, number, reason } of faults) {
    const place = number === undefined ? 'the chain' : `entry ${number}`
    process.stderr.write(`${chainName(tenant)}: ${place} ${reason}\n`)
  }
  if (faultCount > faults.length) process.stderr.write(`… and ${faultCount - faults.length} more.\n`)
  if (timesBack > 0) {
    process.stderr.write(
      `${timesBack} entries have a time before that of the entry before: was the clock of the database set back?\n`,
    )
  }
  const result = faultCount === 0 ? 'Verified' : 'Looked at'
  output.write(`${result} ${entries} entries in ${chains.length} chains.\n\n`)
  const rows = chains.map((chain) => [chainName(chain.tenant), String(chain.entries), chain.hash])
  printTable(output, ['CHAIN', 'ENTRIES', 'HEAD'], rows)
}
