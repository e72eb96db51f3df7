import type { FastifyRequest } from 'fastify'
import { type IdentifierQuery, readIdentifierSearch } from '../../fhir/bundle/identifier-query.ts'
import { type Grant, lacksRead } from '../../protocol/grant.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import type { Identified } from '../../records/identifiers.ts'

/** How much of a text that a client sent is repeated in a problem. */
const quotedCharsMax = 200

export const quoted = (text: string): string =>
  text.length > quotedCharsMax ? `${text.slice(0, quotedCharsMax)}…` : text

/** The query of a request's URL as it was sent. */
export const queryOf = ({ raw }: FastifyRequest): string => /\?(.*)$/s.exec(raw.url ?? '')?.[1] ?? ''

/**
 * Reads the condition of a conditional create, update or delete.
 *
 * It tells whether a record exists, so the token must let read every record of the type. A granular scope is not enough: the answer
 * would either tell of a record that it does not cover, or make a second one of the same identifier.
 */
export function readCondition(type: string, query: string, grant: Grant): IdentifierQuery | Problem {
  if (!grant.canRead(type)) return lacksRead(grant, [type])
  const read = readIdentifierSearch(type, query)
  if (!('unusable' in read)) return read
  return problem(400, 'not-supported', 'The condition of a request must be one identifier.', {
    diagnostics: `${quoted(query)}: ${read.unusable}`,
  })
}

/** R4 http.html: of several matches nobody knows which is meant. */
export const severalMatches = ({ type, system, value }: IdentifierQuery): Problem =>
  problem(412, 'multiple-matches', 'Several records have the identifier of the condition.', {
    diagnostics: quoted(`${type}?identifier=${system}|${value}`),
  })

/** Which record a conditional update changes, or makes. */
export type UpdateTarget =
  | { readonly kind: 'found'; readonly record: Identified }
  /** The id that it shall have; undefined when the server gives one. */
  | { readonly kind: 'new'; readonly id: string | undefined }

/**
 * Decides on a conditional update (R4 http.html#cond-update).
 * @param statedId the id in the body
 * @param isTaken whether there is a record with that id
 */
export function updateTarget(
  query: IdentifierQuery,
  found: readonly Identified[],
  statedId: string | undefined,
  isTaken: boolean,
): UpdateTarget | Problem {
  const [record] = found
  if (found.length > 1) return severalMatches(query)
  if (record === undefined && isTaken) {
    return problem(409, 'conflict', 'Another record has the id of the resource.', {
      diagnostics: `${query.type}/${statedId} does not have the identifier of the condition.`,
    })
  }
  if (record === undefined) return { kind: 'new', id: statedId }
  if (statedId === undefined || statedId === record.id) return { kind: 'found', record }
  return problem(400, 'value', 'The id of the resource is not that of the record with this identifier.', {
    diagnostics: `It must be ${record.id}, or missing.`,
  })
}
