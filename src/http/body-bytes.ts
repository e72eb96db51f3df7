import type { FastifyInstance } from 'fastify'

/** Bodies are read as bytes: JSON is parsed where its errors become an OperationOutcome, and stored to the letter. */
export function readBodiesAsBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, withoutMark(body as Buffer)),
  )
}

const byteOrderMark = Buffer.from('\ufeff')

/** A body without the byte order mark that some programs begin UTF-8 with: whoever reads JSON may ignore it (RFC 8259 §8.1). */
const withoutMark = (body: Buffer): Buffer =>
  body.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? body.subarray(byteOrderMark.length) : body
