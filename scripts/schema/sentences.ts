/** What a table holds, and what each of its columns does. */
export interface TableSentences {
  readonly holds: string
  readonly columns: Readonly<Record<string, string>>
}

/** Tables and sequences that belong together on the page. */
export interface Theme {
  readonly title: string
  readonly says: string
  readonly tables: Readonly<Record<string, TableSentences>>
  readonly sequences: Readonly<Record<string, string>>
}

export const themes: readonly Theme[] = [
  {
    title: 'Records',
    says: 'The clinical store. [ARCHITECTURE.md](../../ARCHITECTURE.md#the-records) explains it by examples.',
    tables: {
      record: {
        holds:
          'One row for each time in which a version of a record is valid for an owner. The state as of T is the rows with `written <= T < superseded`.',
        columns: {
          tenant: 'whose it is',
          owner: "id of the patient that the record belongs to; `''` for none",
          type: 'resource type',
          id: 'logical id',
          version: '`meta.versionId`',
          written: "when the version became valid for the owner, a stamp of the store's clock",
          superseded: 'when it ended; `infinity` for the current one',
          updated: '`meta.lastUpdated`, what `_since` compares with',
          deleted: 'a tombstone: `body` is null',
          lead: 'the one row that stands for the record; false for those of its second and further owners',
          shared: 'the record has several owners',
          refs: 'records that may come along with it, and marks of open references: `Type/id` with blanks between',
          targets: 'of a Provenance: its targets of types that patients own, in the same form',
          digest: 'of the text without `versionId` and `lastUpdated`: an equal one is no new version',
          body: 'the line as it is exported, to the letter',
        },
      },
      awaited_target: {
        holds:
          'Targets of Provenances that are not in the store, or belong to nobody. When one comes, its Provenances are placed anew.',
        columns: {
          tenant: 'whose it is',
          type: 'of the target',
          id: 'of the target',
          provenance: 'id of the Provenance that waits for it',
        },
      },
      identifier: {
        holds:
          'The current records by their business identifiers, for conditional requests and references. Made of the bodies, and compared with them: a row too many answers nothing ([decision 0034](../decisions/0034-who-is-who-in-a-bundle.md)).',
        columns: {
          tenant: 'whose it is',
          type: 'of the record',
          token: "what is looked for: the first 16 bytes of the SHA-256 of `system`, `'|'` and `value`",
          id: 'of the record',
        },
      },
    },
    sequences: {
      clock: "The store's clock: milliseconds since 1970 of the latest stamp or cut. It never goes back.",
    },
  },
  {
    title: 'Packs',
    says: 'Records compressed once, for exports to copy. All of it is made of the records ([packs](../packs.md)).',
    tables: {
      pack: {
        holds:
          'Current records of one owner and type, in the order of their ids, as deflated NDJSON; Provenances that are the newest of one of their targets before the others. Large ones are cut into several; the pack of no type names the types of which the owner has none.',
        columns: {
          tenant: 'whose it is',
          owner: 'id of the patient',
          type: "resource type; `''` for the pack of no type",
          number: 'of the packs of one owner and type, from 0',
          records: 'how many it holds',
          bytes: 'of its lines',
          packed: 'bytes of its compressed lines',
          changed: 'the latest change of the records, deletions included; `infinity`: read versions instead',
          oldest: 'least `meta.lastUpdated`; `infinity` without records',
          newest: 'greatest `meta.lastUpdated`; `-infinity` without records',
          seal: 'CRC-32 of the body',
          body: 'a label that says everything about the pack, and the compressed lines',
          present: 'of the pack of no type: the types of which there may be records, with blanks between',
          about: 'of Provenances: the types that all of the owner’s are about, with blanks between',
          columns:
            'of each record what exports choose by: length, `meta.lastUpdated`, references, and the targets of a Provenance; under a seal of its own',
        },
      },
      unpacked: {
        holds:
          'Owners and types whose records have changed since they were packed: what the packer has to do. Where there is a row there is no pack.',
        columns: {
          tenant: 'whose it is',
          owner: 'id of the patient',
          type: "resource type; `''` for the pack of no type",
          change: 'another number for each change: a packer that finds another than it had read gives up its packs',
          changed: 'when that was',
        },
      },
    },
    sequences: {
      change: 'Numbers the changes in `unpacked`.',
    },
  },
  {
    title: 'Exports',
    says: 'From the kick-off to the files. The tasks of the queue are in the schema `pgboss`; rows decide, tasks only wake.',
    tables: {
      job: {
        holds: 'One accepted export. Its row goes some time after its end ([limits](limits.md#exports)).',
        columns: {
          id: 'in the URL of its status',
          tenant: 'whose records',
          client: 'whose export: nobody else sees it',
          state: 'see [states](../../ARCHITECTURE.md#states)',
          request:
            'the effective request, every default applied, without its patients and warnings; `{}` once it is deleted',
          url: 'the kick-off URL, for the manifest',
          transaction_time: 'the cut T: the moment that the export shows',
          created: 'when it was accepted',
          started: 'when its partitions were planned',
          finished: 'when it was completed, failed or deleted',
          expires: 'when its files go',
          failure: 'why it failed, for the client',
          traceparent: 'the trace of the request that it came with, as W3C Trace Context writes it',
          planner: "the planning worker's number: its advisory lock of class 7062",
          plan_attempts: 'how often it was planned',
          plan_due: 'when its planning, which failed, is to be tried again; null is now',
          patient_count: 'how many patients are listed; none when the reach is wider',
          patients_packed:
            'the patients that are listed, packed, until they stand in the partitions; to the end where deletions are told',
          warnings_packed: 'what lenient handling ignored, packed, for the `error` file',
          cleared: 'it has ended, and what it needs no longer was dropped',
          mending_since: 'since when damaged files of it are made again; none are where it is null',
          mended: 'when files of it were last made again',
        },
      },
      partition: {
        holds:
          'A run of owners that are exported together: the unit of work, retry and progress. The last one of a job writes referenced records.',
        columns: {
          job: 'of which it is a part',
          number: 'from 0',
          kind: '`owners`, or `references` for the last one',
          state: 'see [states](../../ARCHITECTURE.md#states)',
          attempt: 'raised by each claim: who holds another number may not publish',
          worker: "the running worker's number: its advisory lock of class 7062",
          planned: 'records that were expected',
          scanned: 'records that the attempt has gone through, matching or not',
          claimed: 'when a worker took it last: those who were served longest ago come first',
          due: 'when it is to be tried again; null is now',
          owners_packed: 'the patients, packed, or none: one byte (1 deflated, 0 text), then an id on each line',
          spent: 'attempts that do not count: of earlier runs, and of this one those for want of room',
          mends: 'how often it was run again for damaged files',
        },
      },
      part: {
        holds:
          'What one partition has published of a kind and type: a file, or a piece of one ([decision 0051](../decisions/0051-files-of-several-parts.md)).',
        columns: {
          id: 'in the URL of the file',
          job: 'of which it is a part',
          file: 'the first of the parts that are sent as one file; null: it is one alone',
          partition: 'whose attempt wrote it',
          number: 'counts the files of a kind and type in the partition',
          kind: '`output`, `deleted` or `error`',
          type: 'resource type of its lines',
          path: 'below the files directory',
          records: 'lines',
          bytes: 'of the lines',
          gzip_bytes: 'as it is stored',
          continues: "the last patient's block goes on in the partition's next file",
          crc: 'CRC-32 of the lines; null for files from before there was one',
          gzip_crc: 'CRC-32 of what is stored',
          edition: 'how often it was made again; part of its ETag',
          damaged: 'it is not what it was, and is to be made again',
        },
      },
      reference: {
        holds:
          'Records that partitions have met and the last one writes, each once: referenced ones, and Provenances of several owners.',
        columns: {
          job: 'that met it',
          type: 'resource type',
          id: 'logical id',
          hop: 'how far it is from the exported records: 0 when one of them refers to it, -1 when it is one of several owners',
        },
      },
    },
    sequences: {},
  },
  {
    title: 'Access',
    says: 'Who may call, and the keys that prove it.',
    tables: {
      tenant: {
        holds: 'An organisation. Nothing crosses it.',
        columns: {
          id: 'in every URL',
          profile: 'which switches it has ([profiles](../profiles.md))',
          created: 'when',
          strict: 'answers as Oracle documents and no wider',
          reference_walk: 'whether references of referenced records are followed too',
        },
      },
      client: {
        holds: 'A registered application. It has one way of authentication: keys, a URL of keys, or a secret.',
        columns: {
          id: 'a random UUID',
          tenant: 'to which it belongs',
          name: 'for people',
          scopes: 'what it may ask for',
          jwks: 'its public keys, registered inline',
          jwks_url: 'where it publishes them',
          created: 'when',
          disabled: 'since when it is refused',
          secret_hash: 'scrypt of its secret, with parameters and salt',
        },
      },
      signing_key: {
        holds: 'The keys that sign access tokens, one after the other.',
        columns: {
          kid: 'in the header of its tokens',
          algorithm: 'of its signatures',
          private_jwk: 'gone when the key was removed',
          public_jwk: 'what is published',
          created: 'when',
          number: 'in the order of their turns',
          signs_from: 'it signs from then until the next one does, and verifies until its last token has expired',
          removed: 'when it was removed before its time: its tokens are refused',
        },
      },
      assertion: {
        holds: 'Client assertions that were used, until they could not be accepted any more.',
        columns: { client: 'whose', jti: 'that may not come again', expires: 'when the row may go' },
      },
      trusted_issuer: {
        holds:
          'Authorization servers of others whose tokens a tenant takes. Tokens are checked with its keys, or by asking it.',
        columns: {
          tenant: 'that trusts it',
          issuer: '`iss` of its tokens',
          jwks_url: 'where its keys are',
          introspection_url: 'where it is asked',
          introspection_client: 'as whom',
          introspection_secret: 'with what',
          algorithms: 'of its signatures',
          audience: "`aud` of tokens for this server; null: they have none and name the tenant in Oracle's claims",
          foreign_tenant: 'what it calls the tenant',
          created: 'when',
        },
      },
      secret: {
        holds: "Random keys that all servers of the store share, and the hash of the administrator's credential.",
        columns: { name: 'what for', value: 'the bytes' },
      },
    },
    sequences: {},
  },
  {
    title: 'Audit',
    says: 'The trail: who did what, when, from where, and how it ended ([decision 0017](../decisions/0017-the-audit-trail-is-chained-in-the-database.md)).',
    tables: {
      audit_entry: {
        holds: "One entry. Each tenant has a chain of its own, `''` is the store's. Rows are only ever added.",
        columns: {
          tenant: 'whose chain',
          number: '1, 2, 3 … without a gap',
          recorded: 'when',
          entry: 'JSON, as text: the bytes that were hashed are the bytes that are kept',
          hash: 'covers the entry and the hash of the one before',
        },
      },
      audit_head: {
        holds:
          'The last entry of each chain: the lock of those who append, and what shows that entries at the end are missing.',
        columns: { tenant: 'whose chain', number: 'of the last entry', hash: 'of the last entry' },
      },
    },
    sequences: {},
  },
  {
    title: 'Settings',
    says: 'What a store knows about itself.',
    tables: {
      setting: {
        holds: 'The public URL of the last server, for commands that come after it, and the id of the store.',
        columns: { name: 'which', value: 'as text' },
      },
      outdated_tenant: {
        holds:
          'Tenants with records that were written under former rules of ownership, and how far these are put under the present ones ([decision 0056](../decisions/0056-records-of-several-patients.md)). Empty once all are.',
        columns: {
          tenant: 'whose they are',
          public_url: 'under which the server was reached when they were written, if that is known',
          after_type: 'of the last record that was looked at',
          after_id: 'of the last record that was looked at',
          looked: 'current records that were looked at',
          placed: 'of which so many got other owners or references',
        },
      },
      migration: {
        holds: 'The migrations that were applied. `src/database/migrate.ts` makes this table.',
        columns: { name: 'of the file, without `.sql`', applied: 'when' },
      },
    },
    sequences: {},
  },
]
