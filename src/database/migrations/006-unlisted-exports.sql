-- Exports without a list of patients, deletions as files, and files that are organized by patient.

-- What was deleted after a time, of some owners or of a whole tenant, without reading what is there.
create index record_deleted on record (tenant, owner, type, id) where deleted;

alter table part drop constraint part_kind_check;
alter table part add constraint part_kind_check check (kind in ('output', 'deleted', 'error'));

-- The patient whose block ends this file has more of it in the partition's next one.
alter table part add column continues boolean not null default false;
