-- One index is all that a late batch asks of the log; it is built when everything is in.
CREATE INDEX bronze_key ON bronze_events (event_id);
ANALYZE bronze_events;
