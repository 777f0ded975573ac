import type postgres from 'postgres'

/**
 * Everything that a schema consists of, one line per thing, as the catalogue has it: two databases with the same lines
 * have the same schema. Object ids and the gaps that dropped columns leave are left out.
 */
export async function dumpCatalogue(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    with schemas as (
      select oid, nspname, nspacl from pg_namespace
      where nspname !~ '^pg_' and nspname <> 'information_schema'
    )
    select format('schema %I acl %s comment %L', nspname, nspacl, obj_description(oid, 'pg_namespace')) as line
    from schemas
    union all
    select format('relation %s kind %s persistence %s acl %s options %s rls %s comment %L', c.oid::regclass, c.relkind,
      c.relpersistence, c.relacl, c.reloptions, c.relrowsecurity, obj_description(c.oid, 'pg_class'))
    from pg_class c join schemas s on s.oid = c.relnamespace
    union all
    select format('column %s %s %I %s collation %s not null %s default %s identity %L generated %L storage %s acl %s comment %L',
      c.oid::regclass, row_number() over (partition by c.oid order by a.attnum), a.attname,
      format_type(a.atttypid, a.atttypmod), a.attcollation, a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
      a.attidentity, a.attgenerated, a.attstorage, a.attacl, col_description(c.oid, a.attnum))
    from pg_class c join schemas s on s.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    union all
    select format('constraint %I on %s %s validated %s comment %L', k.conname, k.conrelid::regclass,
      pg_get_constraintdef(k.oid), k.convalidated, obj_description(k.oid, 'pg_constraint'))
    from pg_constraint k join schemas s on s.oid = k.connamespace
    union all
    select format('index %s valid %s ready %s', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready)
    from pg_index i join pg_class c on c.oid = i.indexrelid join schemas s on s.oid = c.relnamespace
    union all
    select format('type %s kind %s comment %L', t.oid::regtype, t.typtype, obj_description(t.oid, 'pg_type'))
    from pg_type t join schemas s on s.oid = t.typnamespace
    union all
    select format('function %s %s', p.oid::regprocedure, p.prosrc)
    from pg_proc p join schemas s on s.oid = p.pronamespace
    union all
    select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all
    select format('extension %s %s', extname, extversion) from pg_extension
    order by 1`
  return rows.map(({ line }) => line)
}
