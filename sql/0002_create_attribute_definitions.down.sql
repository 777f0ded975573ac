-- Drops the table with every attribute definition in it. The customers' values stay.
drop table if exists customer.custom_attribute_definition;
