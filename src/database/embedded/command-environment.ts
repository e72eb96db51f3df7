/**
 * The whole environment of every command started here. Nothing is inherited: PostgreSQL reads many variables,
 * and its messages must be in English because some are recognised.
 */
export const commandEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin',
  LC_ALL: 'C',
}
