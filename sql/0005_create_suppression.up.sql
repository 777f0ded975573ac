-- Optional: the addresses that nothing is sent to, whatever becomes of the customer. An address is kept in lower case (A to Z
-- alone), or as a hash of itself: a store is asked for one or the other, never for both in one table.
--
-- Running it again is safe.
select pg_advisory_xact_lock(7205759403792794);

create table if not exists customer.custom_attribute_suppression (
  account_id uuid not null,
  -- Compared byte by byte, whatever collation the host's e-mail addresses have.
  address text collate "C" not null,
  reason text,
  created_at timestamptz not null default now(),
  primary key (account_id, address)
);

comment on table customer.custom_attribute_suppression is 'Addresses that nothing is sent to; they outlive the customer';
