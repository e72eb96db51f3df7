-- Workers take plans and partitions in turn between tenants and clients (docs/decisions/0039): when a partition was claimed last, and when
-- what failed is to be tried again.
alter table partition add column claimed timestamptz, add column due timestamptz;
alter table job add column plan_due timestamptz;
create index partition_claimed on partition (job, claimed) where claimed is not null;
create index partition_waiting on partition (job, number) where state = 'waiting';
