import type { ClientBase, Pool } from 'pg'

/** Facts that one program leaves for the others: under which URL the server was last reached, and the store's own id. */
type SettingName = 'public_url' | 'store_id'

export async function readSetting(pool: Pool, name: SettingName): Promise<string | undefined> {
  return (await pool.query<{ value: string }>('select value from setting where name = $1', [name])).rows[0]?.value
}

export async function writeSetting(pool: ClientBase | Pool, name: SettingName, value: string): Promise<void> {
  await pool.query(
    'insert into setting (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value',
    [name, value],
  )
}

/** The id of a store, made by its first program: two stores can be told apart wherever they are. */
export async function storeId(pool: Pool): Promise<string> {
  await pool.query(`insert into setting (name, value) values ('store_id', gen_random_uuid()) on conflict do nothing`)
  return (await readSetting(pool, 'store_id'))!
}
