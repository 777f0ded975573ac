-- Adds customer.customer.custom_attributes. Running this file again is safe, also from many processes at once: they queue.
--
-- The first time it locks the table, which would keep a big one in use waiting while the index is built and every row is
-- checked. There, run these four by hand first, each outside a transaction; this file then finds them done and only sets the comment. (Should the
-- index fail to build, drop it before trying again: a broken one of this name counts as built.)
--
--   alter table customer.customer add column if not exists custom_attributes jsonb not null default '{}'::jsonb;
--   create index concurrently if not exists customer_custom_attributes_idx
--     on customer.customer using gin (custom_attributes);
--   alter table customer.customer add constraint customer_custom_attributes_check check (
--     jsonb_typeof(custom_attributes) = 'object'
--     and jsonb_array_length(jsonb_path_query_array(custom_attributes, '$.*')) <= 10
--   ) not valid;
--   alter table customer.customer validate constraint customer_custom_attributes_check;

-- Each is looked for first: on a database that has all three nothing is locked that a reader would wait for, so that this
-- file can be run at every start. "add constraint" knows no "if not exists".
do $check$
declare
  customers regclass := $name$customer.customer$name$;
begin
  perform pg_advisory_xact_lock(7205759403792792);
  begin
    perform custom_attributes from customer.customer limit 0;
  exception when undefined_column then
    alter table customer.customer
      add column if not exists custom_attributes jsonb not null default '{}'::jsonb;
  end;
  if not exists (
    select from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
    where i.indrelid = customers and c.relname = (parse_ident($name$customer_custom_attributes_idx$name$))[1]
  ) then
    create index if not exists customer_custom_attributes_idx
      on customer.customer using gin (custom_attributes);
  end if;
  if not exists (
    select from pg_catalog.pg_constraint c
    where c.conrelid = customers and c.conname = (parse_ident($name$customer_custom_attributes_check$name$))[1]
  ) then
    alter table customer.customer add constraint customer_custom_attributes_check check (
      jsonb_typeof(custom_attributes) = 'object'
      and jsonb_array_length(jsonb_path_query_array(custom_attributes, '$.*')) <= 10
    );
  end if;
exception when duplicate_object then null;
end
$check$;

comment on column customer.customer.custom_attributes is
  'Flexible storage for user-defined attributes from CSV uploads. Max 10 attributes per customer.';
