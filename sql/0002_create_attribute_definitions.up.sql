-- Creates customer.custom_attribute_definition, in a schema that exists. Running this file again is safe, also from many
-- processes at once: the lock makes them queue, because "create table if not exists" alone can fail in a race.
select pg_advisory_xact_lock(7205759403792793);

create table if not exists customer.custom_attribute_definition (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null,
  attribute_name text not null,
  last_seen_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  constraint custom_attribute_definition_un unique (account_id, attribute_name)
);

create index if not exists custom_attribute_definition_account_idx
  on customer.custom_attribute_definition (account_id);

create index if not exists custom_attribute_definition_last_seen_idx
  on customer.custom_attribute_definition (last_seen_at);

comment on table customer.custom_attribute_definition is
  'Tracks all unique custom attribute names per account for mail merge tag discovery';
