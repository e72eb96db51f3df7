import { Failure } from '../../failure.ts'
import { defaultPublicUrl } from '../../fhir/service-urls.ts'

/**
 * The URL under which clients reach the server, without a slash at its end: the flag, else `MILLRACE_PUBLIC_URL`,
 * else the one under which the store was served last, else the default. It may have a path, when a proxy serves
 * Millrace below one.
 * @throws Failure when it is not an http or https URL, or has more than host, port and path.
 */
export function readPublicUrl(
  flag: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  served?: string,
): string {
  const text = flag ?? (environment.MILLRACE_PUBLIC_URL || served || defaultPublicUrl)
  return readServerUrl(text, flag === undefined ? 'MILLRACE_PUBLIC_URL' : '--public-url')
}

/**
 * The same of any URL of a server.
 * @param source the flag or variable that has it
 * @throws Failure
 */
export function readServerUrl(text: string, source: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const web = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (!url || !web || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new Failure(`${source} is not the URL of a server.`, 'Write it as https://host, or https://host:port/path.')
  }
  return url.href.replace(/\/+$/, '')
}
