import type { Pool } from 'pg'

/** Facts that one command leaves for the others. `public_url`: under which URL the server was last reached. */
type SettingName = 'public_url'

export async function readSetting(pool: Pool, name: SettingName): Promise<string | undefined> {
  return (await pool.query<{ value: string }>('select value from setting where name = $1', [name])).rows[0]?.value
}

export async function writeSetting(pool: Pool, name: SettingName, value: string): Promise<void> {
  await pool.query(
    'insert into setting (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value',
    [name, value],
  )
}
