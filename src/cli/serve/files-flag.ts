import { resolve } from 'node:path'
import { Failure } from '../../failure.ts'
import { clearEndpoints, isS3Url, parseS3Url, type S3Place } from '../../files/s3/s3-url.ts'

/**
 * Where the files of exports lie, as `--files` says.
 * @param plainHttp whether clear text on the network is wanted
 * @throws Failure when a URL of S3 says what it cannot, or leads over the network in the clear by mistake
 */
export function readFilesPlace(text: string, plainHttp: boolean): string | S3Place {
  if (!isS3Url(text)) return resolve(text)
  const place = parseS3Url(text)
  const [clear] = plainHttp ? [] : clearEndpoints(place)
  if (clear !== undefined) {
    throw new Failure(
      `${clear} would carry the files of exports in clear text.`,
      'Write it with https:, or say --plain-http where the network itself is protected.',
    )
  }
  return place
}
