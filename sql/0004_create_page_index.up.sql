-- Optional, for accounts of many customers: an index by which a page of an account's customers, in the order of their ids, is
-- found whatever the server knows of the table. Without it a page can cost a read of the account where statistics are old or missing.
--
-- Its key is no column but an expression, on purpose: beside an index that begins with the account's column PostgreSQL may look up
-- customers by account and e-mail the wrong way, and uploads would pay. It takes about 80 bytes for each customer.
--
-- On a big table in use run the statement below by hand first, outside a transaction, as "create index concurrently"; this file then
-- finds the index. (Should it fail to build, drop it before trying again: a broken one of this name counts as built.)
create index if not exists customer_page_idx on customer.customer ((account_id::text || ''), id);
