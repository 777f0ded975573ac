drop table if exists customer.custom_attribute_upload_rejected;
drop table if exists customer.custom_attribute_upload_change;
drop table if exists customer.custom_attribute_upload;
