-- The clinical store and the rows of export jobs. Explained in ARCHITECTURE.md.

-- One row for each time a version of a record becomes valid for an owner. The state as of T is the rows with
-- written <= T < superseded. `refs` and `targets` are blank-separated `Type/id` lists: cheaper to read than arrays.
create table record (
  tenant     text collate "C" not null,
  owner      text collate "C" not null, -- id of the patient the record belongs to; '' for none
  type       text collate "C" not null,
  id         text collate "C" not null,
  version    integer     not null,      -- meta.versionId
  written    timestamptz not null,
  superseded timestamptz not null default 'infinity',
  updated    timestamptz not null,      -- meta.lastUpdated, what _since compares with
  deleted    boolean     not null,      -- a tombstone: body is null
  lead       boolean     not null,      -- false for the rows of the second and further owners of one record
  shared     boolean     not null,      -- the record has several owners
  refs       text        not null,      -- Location, Organization and Practitioner records it refers to
  targets    text        not null,      -- Provenance: its targets of owned types
  digest     bytea       not null,
  body       text
) with (toast_tuple_target = 8160, autovacuum_vacuum_insert_scale_factor = 0.1);
alter table record alter column body set storage external;

create index record_of_owner on record (tenant, owner, type, id, written);
create unique index record_current on record (tenant, type, id) where lead and superseded = 'infinity';
create index record_other on record (tenant, type, id) where not lead or superseded < 'infinity';
create index record_superseded on record (superseded) where superseded < 'infinity';

-- Targets of Provenances that were not in the store when the Provenance was written.
create table awaited_target (
  tenant     text collate "C" not null,
  type       text collate "C" not null,
  id         text collate "C" not null,
  provenance text collate "C" not null,
  primary key (tenant, type, id, provenance)
);

-- The store's clock: milliseconds since 1970 of the latest stamp or cut. It never goes back, whatever the machine's clock does.
create sequence clock as bigint minvalue 0 start 0;

-- Writers hold lock (7061, 1) shared until they commit; a cut takes it alone. Lock (7061, 2) makes one reading of the clock whole:
-- it is held for that moment only, and let go of whatever happens.
create function read_clock(step bigint) returns timestamptz language plpgsql as $$
declare
  latest bigint;
  moment bigint;
begin
  perform pg_advisory_lock(7061, 2);
  begin
    select last_value into latest from clock;
    moment := greatest(latest, floor(extract(epoch from clock_timestamp()) * 1000)::bigint);
    if moment + step > latest then
      perform setval('clock', moment + step);
    end if;
  exception when query_canceled or others then
    perform pg_advisory_unlock(7061, 2);
    raise;
  end;
  perform pg_advisory_unlock(7061, 2);
  return to_timestamp(moment / 1000.0);
end
$$;

-- The `written` of a transaction that writes records. Holds lock 1 shared until the transaction ends.
create function stamp_write() returns timestamptz language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(7061, 1);
  return read_clock(0);
end
$$;

-- The same for a writer that must be alone.
create function stamp_write_alone() returns timestamptz language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7061, 1);
  return read_clock(0);
end
$$;

-- The transactionTime of an export: every write stamped up to it has committed, every later one gets a later stamp.
create function cut() returns timestamptz language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7061, 1);
  return read_clock(1);
end
$$;

create table setting (
  name  text primary key,
  value text not null
);

create table job (
  id               uuid primary key,
  tenant           text        not null,
  client           text        not null,
  state            text        not null check (state in ('accepted', 'running', 'finishing', 'completed', 'failed', 'deleted')),
  request          jsonb       not null, -- the effective ExportRequest without its patients
  patients         text[]      not null,
  url              text        not null, -- the kick-off URL, for the manifest
  transaction_time timestamptz not null,
  created          timestamptz not null default now(),
  started          timestamptz,
  finished         timestamptz,
  expires          timestamptz,
  failure          text,
  planner          integer,              -- the planning worker's liveness lock (class 7062)
  plan_attempts    integer     not null default 0
);
create unique index job_live on job (tenant, client) where state in ('accepted', 'running', 'finishing');
create index job_state on job (state, finished);

create table partition (
  job      uuid    not null references job on delete cascade,
  number   integer not null,
  kind     text    not null check (kind in ('owners', 'references')),
  owners   text[]  not null,
  state    text    not null check (state in ('waiting', 'running', 'done')),
  attempt  integer not null default 0,
  worker   integer,                     -- the running worker's liveness lock (class 7062)
  planned  bigint  not null,            -- records expected when planned
  exported bigint  not null default 0,  -- records that the current attempt has gone through, matching or not
  primary key (job, number)
);
create index partition_running on partition (worker) where state = 'running';

create table part (
  id         uuid    primary key,
  job        uuid    not null references job on delete cascade,
  partition  integer not null,
  number     integer not null,
  kind       text    not null check (kind in ('output', 'error')),
  type       text    not null,
  path       text    not null,
  records    bigint  not null,
  bytes      bigint  not null,
  gzip_bytes bigint  not null,
  unique (job, partition, kind, type, number)
);

-- Records that partitions found and the finishing partition exports once: referenced ones and Provenances of several owners.
create table reference (
  job  uuid not null references job on delete cascade,
  type text collate "C" not null,
  id   text collate "C" not null,
  primary key (job, type, id)
);
