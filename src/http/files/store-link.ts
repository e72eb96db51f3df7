import type { FastifyRequest } from 'fastify'
import { contentLinkSecondsMax } from '../../access/content-link.ts'
import { DamagedFile } from '../../files/file-store.ts'
import { DamagedPart } from '../../files/joined-content.ts'
import type { OwnedFile } from '../../jobs/published-file.ts'
import type { HttpContext } from '../context.ts'
import { acceptsGzip } from './content.ts'

/**
 * A link with which the store of files itself hands out a file, as it is stored: gzipped. So the file must be one part, and the client must
 * take gzip; whoever follows the link sends what was asked with it (docs/decisions/0055).
 * @returns undefined where this server has to send the file
 */
export async function storeLink(
  { method, headers }: FastifyRequest,
  { files }: HttpContext,
  { parts }: OwnedFile,
): Promise<string | DamagedPart | undefined> {
  const [part, ...others] = parts
  if (!files.link || !part || others.length > 0 || part.damaged || !acceptsGzip(headers['accept-encoding'])) {
    return undefined
  }
  try {
    return await files.link(part.path, part.gzipBytes, method === 'HEAD' ? 'HEAD' : 'GET', contentLinkSecondsMax)
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error
    return new DamagedPart(part, error)
  }
}
