import type { Pool } from 'pg'

/** A table of the schema `millrace` as PostgreSQL has it. Definitions are PostgreSQL's own words. */
export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  /** Primary key first, then unique, foreign keys, checks. */
  readonly constraints: readonly string[]
  /** Those that are no constraints. */
  readonly indexes: readonly string[]
  readonly triggers: readonly string[]
  /** Storage parameters: `fillfactor=70`. */
  readonly storage: readonly string[]
}

export interface Column {
  readonly name: string
  readonly type: string
  /** How large values are stored, where that is not the type's way: the letter of `pg_attribute.attstorage`. */
  readonly storage: string | null
  readonly nullable: boolean
  readonly fallback: string | null
}

export interface Sequence {
  readonly name: string
  readonly type: string
}

/** A function by its name, with what it takes and gives. */
export interface Routine {
  readonly name: string
  readonly signature: string
}

export interface Schema {
  readonly tables: readonly Table[]
  readonly sequences: readonly Sequence[]
  readonly routines: readonly Routine[]
}

// Not-null constraints are left out: the columns tell them, and versions of PostgreSQL differ in whether they have names.
const tablesSql = `
select c.relname as name, coalesce(c.reloptions, '{}') as storage,
  (select json_agg(json_build_object(
      'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)
        || case when a.attcollation not in (0, y.typcollation) then ' collate ' || quote_ident(o.collname) else '' end,
      'storage', case when a.attstorage <> y.typstorage then a.attstorage end, 'nullable', not a.attnotnull,
      'fallback', pg_get_expr(d.adbin, d.adrelid)) order by a.attnum)
    from pg_attribute a join pg_type y on y.oid = a.atttypid left join pg_collation o on o.oid = a.attcollation
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
  array(select pg_get_constraintdef(k.oid) from pg_constraint k
    where k.conrelid = c.oid and k.contype in ('p', 'u', 'f', 'c')
    order by position(k.contype::text in 'pufc'), k.conname) as constraints,
  array(select pg_get_indexdef(i.indexrelid) from pg_index i join pg_class n on n.oid = i.indexrelid
    where i.indrelid = c.oid and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u'))
    order by n.relname) as indexes,
  array(select pg_get_triggerdef(t.oid, true) from pg_trigger t
    where t.tgrelid = c.oid and not t.tgisinternal order by t.tgname) as triggers
from pg_class c where c.relnamespace = 'millrace'::regnamespace and c.relkind in ('r', 'p') order by c.relname`

const sequencesSql = `
select c.relname as name, format_type(s.seqtypid, null) as type
from pg_sequence s join pg_class c on c.oid = s.seqrelid
where c.relnamespace = 'millrace'::regnamespace order by c.relname`

const routinesSql = `
select p.proname as name,
  p.proname || '(' || pg_get_function_arguments(p.oid) || ') → ' || pg_get_function_result(p.oid) as signature
from pg_proc p where p.pronamespace = 'millrace'::regnamespace order by p.proname, signature`

/** The schema `millrace` of a migrated database. */
export async function readSchema(pool: Pool): Promise<Schema> {
  const rows = async <Row extends object>(sql: string): Promise<Row[]> => (await pool.query<Row>(sql)).rows
  return {
    tables: await rows<Table>(tablesSql),
    sequences: await rows<Sequence>(sequencesSql),
    routines: await rows<Routine>(routinesSql),
  }
}
