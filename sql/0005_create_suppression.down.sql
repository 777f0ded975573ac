drop table if exists customer.custom_attribute_suppression;
