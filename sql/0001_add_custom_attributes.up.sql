-- Adds customer.customer.custom_attributes. Running this file again is safe, also from many processes at once: the
-- first statement locks the table until the transaction ends.
--
-- That lock would keep a big table in use waiting while the index is built and every row is checked. There, run these
-- four by hand first, each outside a transaction; this file then finds them done and only sets the comment. (Should the
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

alter table customer.customer
  add column if not exists custom_attributes jsonb not null default '{}'::jsonb;

create index if not exists customer_custom_attributes_idx
  on customer.customer using gin (custom_attributes);

-- "add constraint" knows no "if not exists".
do $check$
begin
  alter table customer.customer add constraint customer_custom_attributes_check check (
    jsonb_typeof(custom_attributes) = 'object'
    and jsonb_array_length(jsonb_path_query_array(custom_attributes, '$.*')) <= 10
  );
exception when duplicate_object then null;
end
$check$;

comment on column customer.customer.custom_attributes is
  'Flexible storage for user-defined attributes from CSV uploads. Max 10 attributes per customer.';
