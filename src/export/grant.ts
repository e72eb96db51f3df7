/** What an authenticated caller may do: one client of one tenant with system scopes (S-6, S-51). */
export interface Grant {
  readonly tenant: string
  readonly client: string
  /** True when the token has at least one `system/` scope; `user/` and `patient/` scopes never count. */
  readonly system: boolean
  /** True when a system scope covers read and search of the type (`.read`, `.rs`, wildcards where allowed). */
  readonly canRead: (type: string) => boolean
  /** True when a system scope covers create, update and delete of the type (`.write`, `.cud`). */
  readonly canWrite: (type: string) => boolean
}
