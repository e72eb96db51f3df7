-- Workers take partitions in turn between tenants and clients (docs/decisions/0039): when one was claimed last, and what waits.
alter table partition add column claimed timestamptz;
create index partition_claimed on partition (job, claimed) where claimed is not null;
create index partition_waiting on partition (job, number) where state = 'waiting' and attempt = 0;
