-- Records of every type in the Patient compartment belong to patients. A patient has records of a few of the types: the pack of no type
-- names these, not the many others, and packs of Provenances tell which types they are about. All packs are made again.
truncate pack;
alter table pack drop constraint pack_pkey;
alter table pack drop column absent;
alter table pack add column present text not null default ''; -- of the pack of no type: the types of which there may be records, blank-separated
alter table pack add column about text not null default ''; -- of Provenances: the types that they are about, blank-separated
alter table pack add primary key (tenant, owner, type, number) include (records, bytes, packed, present, changed, oldest, newest);

insert into unpacked (tenant, owner, type)
  select distinct tenant, owner, type from record where owner <> ''
  union
  select distinct tenant, owner, '' from record where owner <> ''
on conflict (tenant, owner, type) do update set change = excluded.change, changed = excluded.changed;

-- The types of which an owner has or had records, in order: from one to the next by the index, whatever the number of their records.
create function types_of_owner(of_tenant text, of_owner text) returns setof text language sql stable as $$
  with recursive step as (
    (select type from record where tenant = of_tenant and owner = of_owner order by type limit 1)
    union all
    select (select r.type from record r where r.tenant = of_tenant and r.owner = of_owner and r.type > step.type order by r.type limit 1)
    from step where step.type is not null)
  select type from step where type is not null
$$;

-- Notes owners and types (pairs of the two arrays) and drops their packs. A packer that is about to give one of them its packs either comes
-- first, and its packs are dropped, or comes second, and finds another change than it had read. There is never a mark and a pack of the
-- same owner and type.
-- A type that had no packs may be one that the owner's pack of no type does not name, now or when it is made: that one is noted and dropped
-- as well. (So it is when it does not name a type that had packs, which happens only when somebody has changed rows by hand.) It is looked at
-- when the type's mark is held, for who holds that keeps packs of the type from coming; and it is noted after all others, so that writers do
-- not wait for each other in a circle.
create or replace function drop_packs(of_tenant text, owners text[], types text[]) returns void language plpgsql as $$
declare
  noted record;
  had_packs boolean;
  of_no_type text[] := '{}';
begin
  for noted in
    insert into unpacked (tenant, owner, type)
      select distinct of_tenant, p.owner, p.type from unnest(owners, types) as p(owner, type) where p.type <> ''
      order by p.owner, p.type
    on conflict (tenant, owner, type) do update set change = excluded.change, changed = excluded.changed
    returning owner, type, xmax = 0 as fresh
  loop
    had_packs := false;
    if noted.fresh then
      delete from pack where tenant = of_tenant and owner = noted.owner and type = noted.type;
      had_packs := found;
    end if;
    if not had_packs or exists (
      select from pack where tenant = of_tenant and owner = noted.owner and type = ''
        and noted.type <> all (string_to_array(present, ' '))) then
      of_no_type := of_no_type || noted.owner;
    end if;
  end loop;
  for noted in
    insert into unpacked (tenant, owner, type)
      select distinct of_tenant, p.owner, '' from (
        select unnest(of_no_type) union select a.owner from unnest(owners, types) as a(owner, type) where a.type = '') as p(owner)
      order by p.owner
    on conflict (tenant, owner, type) do update set change = excluded.change, changed = excluded.changed
    returning owner, xmax = 0 as fresh
  loop
    if noted.fresh then
      delete from pack where tenant = of_tenant and owner = noted.owner and type = '';
    end if;
  end loop;
end
$$;

-- Tenants with records that were written under former rules of ownership, and how far these are put under the present ones. What is written
-- from now on is under them.
create table outdated_tenant (
  tenant     text collate "C" primary key,
  public_url text,                      -- under which the server was reached when they were written, if that is known
  after_type text collate "C" not null default '', -- the last record that was looked at
  after_id   text collate "C" not null default '',
  looked     bigint  not null default 0, -- current records that were looked at
  placed     bigint  not null default 0  -- of which so many got other owners or references
);
-- From one tenant to the next by the index, whatever the number of their records.
insert into outdated_tenant (tenant, public_url)
  with recursive step as (
    (select tenant from record order by tenant limit 1)
    union all
    select (select tenant from record where tenant > step.tenant order by tenant limit 1) from step where step.tenant is not null)
  select tenant, (select value from setting where name = 'public_url') from step where tenant is not null;
