-- Optional: the history of uploads, by which one is undone. It keeps what each changed customer had before, and has after, an
-- upload that asks for it: about as much again as the rows themselves. pruneUploads takes old ones away.
--
-- Running it again is safe.
select pg_advisory_xact_lock(7205759403792794);

create table if not exists customer.custom_attribute_upload (
  account_id uuid not null,
  id uuid not null default gen_random_uuid(),
  status text not null default 'running',
  reference text,
  file_name text,
  options jsonb not null default '{}'::jsonb,
  counts jsonb not null default '{}'::jsonb,
  new_attributes jsonb not null default '[]'::jsonb,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  undone_at timestamptz,
  primary key (account_id, id)
);

create table if not exists customer.custom_attribute_upload_change (
  account_id uuid not null,
  upload_id uuid not null,
  customer_id text not null,
  place bigint generated always as identity,
  email text not null,
  before jsonb,
  after jsonb not null,
  primary key (account_id, upload_id, customer_id, place)
);

create table if not exists customer.custom_attribute_upload_rejected (
  account_id uuid not null,
  upload_id uuid not null,
  row_number bigint not null,
  problem jsonb not null,
  record jsonb not null,
  primary key (account_id, upload_id, row_number)
);

comment on table customer.custom_attribute_upload is 'Uploads of customers: when, by whom, with what options, and what they did';
comment on table customer.custom_attribute_upload_change is 'What a customer had before and after an upload; before is null for one that it created';
comment on table customer.custom_attribute_upload_rejected is 'Rows that an upload rejected and was asked to keep';
