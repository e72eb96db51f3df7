/** What the database layer tells the program's log. No event carries a statement, a record or a password. */
export type DatabaseEvent =
  | { readonly event: 'database-creating'; readonly directory: string }
  | { readonly event: 'database-starting'; readonly directory: string }
  | { readonly event: 'database-adopting'; readonly directory: string; readonly pid: number }
  | { readonly event: 'database-waiting'; readonly directory: string; readonly reason: string; readonly ms: number }
  | { readonly event: 'database-ending'; readonly directory: string; readonly pid: number; readonly signal: string }
  | { readonly event: 'database-ready'; readonly directory: string; readonly ms: number }
  | { readonly event: 'database-lost'; readonly directory: string }
  | { readonly event: 'database-given-up'; readonly directory: string; readonly reason: string }
  | { readonly event: 'connection-lost'; readonly reason: string }

export type DatabaseLog = (event: DatabaseEvent) => void
