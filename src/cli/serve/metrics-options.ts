import { readFile } from 'node:fs/promises'
import { Failure } from '../../failure.ts'
import type { MetricsAddress } from '../../http/watching/metrics-listener.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Flags of the command line about metrics. */
export interface MetricsFlags {
  readonly metrics?: string
  readonly metricsTokenFile?: string
}

/** A shorter one could be guessed; a longer one is no token. */
export const metricsTokenCharsMin = 16
export const metricsTokenCharsMax = 512

/**
 * Where metrics are to be told: flags before `MILLRACE_METRICS` and `MILLRACE_METRICS_TOKEN_FILE`.
 * @throws Failure for an address or a token that is none
 */
export async function readMetrics(
  flags: MetricsFlags,
  environment: Environment,
): Promise<{ readonly address?: MetricsAddress; readonly token?: string }> {
  const address = flags.metrics ?? environment.MILLRACE_METRICS
  const file = flags.metricsTokenFile ?? environment.MILLRACE_METRICS_TOKEN_FILE
  return {
    ...(address ? { address: readAddress(address) } : {}),
    ...(file ? { token: await readToken(file) } : {}),
  }
}

function readAddress(text: string): MetricsAddress {
  const [, six, other = '', digits = ''] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = six ?? other
  if (host !== '' && Number(digits) <= 65_535) return { host, port: Number(digits) }
  throw new Failure(
    `${JSON.stringify(text)} is no address for metrics.`,
    'Write --metrics (MILLRACE_METRICS) as host:port, such as 127.0.0.1:9464 or [::1]:9464.',
  )
}

async function readToken(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new Failure(
      `The token of the metrics cannot be read: ${cause.message}.`,
      'Check --metrics-token-file (MILLRACE_METRICS_TOKEN_FILE).',
      { cause },
    )
  })
  const token = text.trim()
  if (/^[\x21-\x7e]*$/.test(token) && token.length >= metricsTokenCharsMin && token.length <= metricsTokenCharsMax)
    return token
  throw new Failure(
    'The file with the token of the metrics holds none.',
    `Write ${metricsTokenCharsMin} to ${metricsTokenCharsMax} visible characters into it, such as what "openssl rand -hex 32" prints.`,
  )
}
