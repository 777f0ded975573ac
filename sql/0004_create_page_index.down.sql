drop index if exists customer.customer_page_idx;
