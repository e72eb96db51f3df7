-- Whether exports of a tenant follow the references of referenced records too (protocol §4, O-14).
alter table tenant add column reference_walk text not null default 'one-hop'
  check (reference_walk in ('one-hop', 'transitive'));

-- How far a referenced record is from the exported records: 0 when one of them refers to it.
alter table reference add column hop integer not null default 0;
create index reference_followed on reference (job, hop, type, id) where hop > 0;
