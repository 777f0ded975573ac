-- Drops the column with every custom attribute in it; its index, CHECK and comment go with it.
alter table if exists customer.customer
  drop column if exists custom_attributes;
