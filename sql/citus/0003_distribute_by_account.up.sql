-- For Citus alone, on the coordinator, after 0001 and 0002: distributes both tables by account_id, so that an account's
-- customers and its attribute definitions lie on one node, and with them the tables of the history of uploads and of suppressions
-- where there are. Running this file again is safe, also from several processes at once: the first statement locks the tables until
-- the transaction ends. Run it again when the optional tables come later.
--
-- Citus wants account_id in every unique constraint, so the primary keys become (account_id, id); constraints of your own
-- must hold it, too. create_distributed_table moves the rows and keeps the tables locked meanwhile; on a big table in use,
-- change the primary keys by hand and call create_distributed_table_concurrently instead.
lock table customer.customer, customer.custom_attribute_definition;

do $primary_keys$
declare
  t regclass;
  k name;
begin
  foreach t in array array['customer.customer', 'customer.custom_attribute_definition']::regclass[] loop
    select c.conname into k from pg_constraint c
    where c.conrelid = t and c.contype = 'p'
      and c.conkey = array(select attnum from pg_attribute where attrelid = t and attname = 'id');
    if found then
      execute format('alter table %s drop constraint %I, add constraint %I primary key (account_id, id)', t, k, k);
    end if;
  end loop;
end
$primary_keys$;

select create_distributed_table('customer.customer', 'account_id')
where not exists (
  select from pg_dist_partition where logicalrelid = 'customer.customer'::regclass and partmethod = 'h'
);

select create_distributed_table('customer.custom_attribute_definition', 'account_id', colocate_with => 'customer.customer')
where not exists (
  select from pg_dist_partition where logicalrelid = 'customer.custom_attribute_definition'::regclass and partmethod = 'h'
);

-- The optional tables have account_id in their keys from the beginning.
select create_distributed_table(t::regclass, 'account_id', colocate_with => 'customer.customer')
from unnest(array[
  'customer.custom_attribute_upload', 'customer.custom_attribute_upload_change', 'customer.custom_attribute_upload_rejected',
  'customer.custom_attribute_suppression'
]) t
where to_regclass(t) is not null
  and not exists (select from pg_dist_partition where logicalrelid = to_regclass(t) and partmethod = 'h');
