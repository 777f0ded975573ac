-- Makes the tables plain ones of the coordinator again, the first two with id alone as the primary key. Run it before the down
-- files of the others. Running it again is safe.
select undistribute_table(logicalrelid) from pg_dist_partition
where partmethod = 'h' and logicalrelid in (
  to_regclass('customer.customer'), to_regclass('customer.custom_attribute_definition'),
  to_regclass('customer.custom_attribute_upload'), to_regclass('customer.custom_attribute_upload_change'),
  to_regclass('customer.custom_attribute_upload_rejected'), to_regclass('customer.custom_attribute_suppression')
);

do $primary_keys$
declare
  t regclass;
  k name;
begin
  for t, k in
    select c.conrelid, c.conname from pg_constraint c
    where c.contype = 'p'
      and c.conrelid in (to_regclass('customer.customer'), to_regclass('customer.custom_attribute_definition'))
      and c.conkey = array(
        select a.attnum from unnest(array['account_id', 'id']) with ordinality n (name, place)
        join pg_attribute a on a.attrelid = c.conrelid and a.attname = n.name order by n.place
      )
  loop
    execute format('alter table %s drop constraint %I, add constraint %I primary key (id)', t, k, k);
  end loop;
end
$primary_keys$;
