import { Failure } from '../../failure.ts'

const urlCharsMax = 2048

/**
 * The URL of another server, as it will be asked. `what` is what lies there, such as "key set".
 * @throws Failure unless it is https, or http of this machine, which servers ask in development only.
 */
export function checkServerUrl(text: string, what: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const local = url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (!url || !(url.protocol === 'https:' || local) || url.username !== '' || url.password !== '') {
    throw new Failure(
      `"${text}" cannot be the URL of a ${what}.`,
      'Give an https URL without user name; http is allowed for localhost only.',
    )
  }
  if (text.length > urlCharsMax) {
    throw new Failure(`The URL of the ${what} is too long.`, `Use at most ${urlCharsMax} characters.`)
  }
  return url.href
}
