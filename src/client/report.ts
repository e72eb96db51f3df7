/** Something that happened during an export, for whoever shows it. */
export type ExportEvent =
  | { readonly kind: 'job'; readonly statusUrl: string; readonly resumed: boolean }
  | {
      readonly kind: 'running'
      /** `X-Progress` as the server wrote it. */
      readonly progress: string | undefined
      /** 0 to 100, when the text holds a percentage. */
      readonly percent: number | undefined
      readonly waitMs: number
    }
  | { readonly kind: 'retry'; readonly what: string; readonly reason: string; readonly waitMs: number }
  | { readonly kind: 'manifest'; readonly transactionTime: string; readonly files: number }
  /** Bytes that arrived, as they were sent. */
  | { readonly kind: 'received'; readonly bytes: number }
  | { readonly kind: 'file'; readonly file: FileSummary }
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'deleted' }

export type Report = (event: ExportEvent) => void

/** One downloaded file. */
export interface FileSummary {
  readonly type: string
  /** Where it came from; without its query when that is a capability in itself. */
  readonly url: string
  readonly path: string
  /** Records (lines) in it. */
  readonly count: number
  /** Its size on disk. */
  readonly bytes: number
}

/** An issue of the `error` files and how often it occurs. */
export interface CountedIssue {
  readonly severity: string
  readonly code: string
  readonly text: string
  readonly count: number
}

/** The result of an export. */
export interface ExportSummary {
  /** The status URL. */
  readonly job: string
  readonly resumed: boolean
  /** The `_since` of the next incremental export. */
  readonly transactionTime: string
  readonly files: readonly FileSummary[]
  readonly totals: {
    readonly files: number
    readonly records: number
    readonly bytes: number
    /** Bytes that this run received over the network. */
    readonly receivedBytes: number
  }
  /** From the start of this run to its end, and the part of it spent on downloading and verifying. */
  readonly seconds: number
  readonly downloadSeconds: number
  /** What the server says about the data, in its `error` files. */
  readonly issues: readonly CountedIssue[]
  readonly warnings: readonly string[]
  /** What is wrong with the files; empty when every check passed. */
  readonly problems: readonly string[]
  /** True when the job was deleted on the server. */
  readonly deleted: boolean
}
