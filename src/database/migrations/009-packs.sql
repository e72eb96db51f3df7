-- Packs: records compressed once, copied by every export that wants all of them. Derived data; explained in docs/packs.md.

-- All current records of one owner and type, in order of their ids, as deflated NDJSON. A large one is cut into several, numbered from 0.
create table pack (
  tenant     text collate "C" not null,
  owner      text collate "C" not null,
  type       text collate "C" not null,
  number     integer     not null,
  total      integer     not null, -- how many packs the owner has of the type
  records    integer     not null,
  bytes      integer     not null, -- of the lines
  packed     integer     not null, -- of the body
  crc        bigint      not null, -- CRC-32 of the lines
  changed    timestamptz not null, -- the latest change of the owner's records of the type, deletes included; 'infinity': read versions
  oldest     timestamptz not null, -- of meta.lastUpdated; 'infinity' when there is no record
  newest     timestamptz not null, -- of meta.lastUpdated; '-infinity' when there is no record
  refs       text        not null, -- distinct Location, Organization and Practitioner records they refer to, blank-separated `Type/id`
  shared     text        not null, -- Provenance: those of several owners, which the pack does not hold, blank-separated `Type/id`
  targets    text        not null, -- Provenance: distinct sets of types of existing targets, `Type,Type` blank-separated
  undisputed boolean     not null, -- Provenance: no target has two of them
  seal       bigint      not null, -- CRC-32 of the body and of everything the row says about it
  body       bytea       not null,
  primary key (tenant, owner, type, number) include (records, bytes, packed, changed, oldest, newest)
) with (toast_tuple_target = 8160, autovacuum_vacuum_insert_scale_factor = 0.1);
alter table pack alter column body set storage external;
alter table pack alter column refs set storage main;

-- Owners and types whose records have changed since they were packed: what the packer has to do. Each writer notes here what it changes and
-- drops the packs, in its transaction. So where there are packs they hold exactly the current records.
create sequence change as bigint;
create table unpacked (
  tenant  text collate "C" not null,
  owner   text collate "C" not null,
  type    text collate "C" not null,
  change  bigint      not null default nextval('change'), -- the last change of records: another number for each
  changed timestamptz not null default now(),
  primary key (tenant, owner, type)
) with (fillfactor = 70);

insert into unpacked (tenant, owner, type) select distinct tenant, owner, type from record where owner <> '';

-- Notes changed owners and types (pairs of the two arrays) and drops their packs. A packer that is about to give one of them its packs
-- either comes first, and its packs are dropped, or comes second, and finds another change than it had read.
create function drop_packs(of_tenant text, owners text[], types text[]) returns void language plpgsql as $$
declare
  packed record;
begin
  for packed in
    insert into unpacked (tenant, owner, type)
      select distinct on (p.owner, p.type) of_tenant, p.owner, p.type from unnest(owners, types) as p(owner, type)
      order by p.owner, p.type
    on conflict (tenant, owner, type) do update set change = excluded.change, changed = excluded.changed
    returning owner, type, xmax = 0 as fresh
  loop
    if packed.fresh then
      delete from pack where tenant = of_tenant and owner = packed.owner and type = packed.type;
    end if;
  end loop;
end
$$;

-- Counted are all records that an attempt goes through, also those that a filter drops.
alter table partition rename column exported to scanned;
