CREATE TABLE dim_customer AS
${include versions.sql events=silver_events};
CREATE UNIQUE INDEX dim_key ON dim_customer (customer_id, valid_from);
ANALYZE dim_customer;
