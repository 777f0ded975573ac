-- What a campaign needs beside the customers: itself, how far its fan-out is, and a ledger with a row for everybody it is for.
-- Ids are those of your customer table; sql/reference/customer_table.sql has uuid.
create table if not exists campaign (
  id uuid primary key,
  account_id uuid not null,
  sender text not null,
  message jsonb not null,
  audience jsonb not null,
  status text not null default 'running' check (status in ('running', 'stopped')),
  created_at timestamptz not null default now()
);

create table if not exists campaign_part (
  campaign_id uuid not null references campaign on delete cascade,
  index integer not null,
  parts integer not null,
  after uuid,
  done boolean not null default false,
  primary key (campaign_id, index)
);

create table if not exists campaign_delivery (
  campaign_id uuid not null references campaign on delete cascade,
  customer_id uuid not null,
  email text not null,
  message_id text not null,
  state text not null check (state in ('queued', 'sending', 'sent', 'failed', 'skipped')),
  attempts integer not null default 0,
  claimed_at timestamptz,
  error text,
  primary key (campaign_id, customer_id)
);

-- What resume and a dashboard ask for: those who have no outcome yet.
create index if not exists campaign_delivery_open on campaign_delivery (campaign_id, customer_id) where state in ('queued', 'sending');
