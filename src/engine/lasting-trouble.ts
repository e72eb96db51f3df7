import { isDiskShort } from '../files/disk-floor.ts'
import { type StoreTrouble, UnusableStore } from '../files/file-store.ts'

const diskShort = 'The server had too little free disk for the files of the export. Its operator must make room.'

/** What the client reads of an export whose files could not be written, and what its operator does about it. */
const texts: Readonly<Record<StoreTrouble, string>> = {
  room: 'The store of the files of exports has no room for them. Its operator must make room.',
  away: 'The server could not reach the store of its files. Its operator must see that the store runs and can be reached.',
  credentials:
    'The store of the files of exports did not accept the credentials of the server. Its operator must give it others.',
  denied: 'The store of the files of exports did not let the server write. Its operator must allow it.',
  clock: "The store of the files of exports found the server's clock wrong. Its operator must set it.",
  bucket: 'The bucket for the files of exports is not there. Its operator must make it, or name another one.',
  refused: 'The store of the files of exports refused what the server asked of it. Its operator finds why in the log.',
}

/** Why files cannot be written for now, whatever is exported; undefined when an error says nothing of the kind. */
export function lastingTrouble(error: unknown): string | undefined {
  if (isDiskShort(error)) return diskShort
  return error instanceof UnusableStore ? texts[error.trouble] : undefined
}
