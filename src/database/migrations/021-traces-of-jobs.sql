-- The trace of the request that a job came with: the traces of its partitions are linked to it (docs/decisions/0054).
alter table job add column traceparent text;
