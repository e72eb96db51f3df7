-- A file of the manifest is one part, or several that are put together as it is sent (docs/decisions/0051).
alter table part add column file uuid;
create index part_of_file on part (file) where file is not null;
