-- What jobs keep: ids once and compressed, nothing of what has ended, and what is needed to make damaged files again (docs/decisions/0042).

-- Texts are compressed by the program; its first byte says so (1). What this migration brings along is text as it is (0).
alter table job
  add column patient_count integer not null default 0,
  add column patients_packed bytea,
  add column warnings_packed bytea,
  add column cleared boolean not null default false,
  add column mending_since timestamptz,
  add column mended timestamptz;
update job set
  patient_count = cardinality(patients),
  patients_packed = '\x00'::bytea || convert_to(case when cardinality(patients) = 0 then '' else array_to_string(patients, E'\n') || E'\n' end, 'UTF8'),
  warnings_packed = '\x00'::bytea || convert_to(coalesce(request -> 'warnings', '[]')::text, 'UTF8'),
  request = request - 'warnings';
alter table job drop column patients;
alter table job alter column patients_packed set storage external, alter column warnings_packed set storage external;
create index job_uncleared on job (id) where state in ('deleted', 'failed') and not cleared;
create index job_mending on job (id) where state = 'completed' and mending_since is not null;
create index job_ended on job (tenant, client, finished) where state in ('deleted', 'failed');

alter table partition
  add column owners_packed bytea,
  add column spent integer not null default 0, -- attempts that do not count: of runs before, and those that wanted room
  add column mends integer not null default 0;
update partition set
  owners_packed = '\x00'::bytea || convert_to(case when cardinality(owners) = 0 then '' else array_to_string(owners, E'\n') || E'\n' end, 'UTF8');
alter table partition alter column owners_packed set not null, drop column owners;
alter table partition alter column owners_packed set storage external;

-- Parts from before have no checksums: they are not checked, and cannot be made again.
alter table part
  add column crc bigint,      -- CRC-32 of the lines
  add column gzip_crc bigint, -- CRC-32 of the stored bytes
  add column edition integer not null default 0,
  add column damaged boolean not null default false;
