-- Types of which an owner has no record have no packs any more: one pack *of no type* names them all. So three quarters of the packs of a
-- population whose patients have few types are gone, and exports read, check and skip none of them. All packs are made again.
truncate pack;
alter table pack drop constraint pack_pkey;
alter table pack add column absent text not null default ''; -- of the pack of no type: the types that it names, blank-separated
alter table pack add primary key (tenant, owner, type, number) include (records, bytes, packed, absent, changed, oldest, newest);

insert into unpacked (tenant, owner, type)
  select distinct tenant, owner, type from record where owner <> ''
  union
  select distinct tenant, owner, '' from record where owner <> ''
on conflict (tenant, owner, type) do update set change = excluded.change, changed = excluded.changed;

drop function drop_packs(text, text[], text[], boolean[]);

-- Notes owners and types (pairs of the two arrays) and drops their packs. A packer that is about to give one of them its packs either comes
-- first, and its packs are dropped, or comes second, and finds another change than it had read. There is never a mark and a pack of the
-- same owner and type.
-- A type that had no packs may be one that the owner's pack of no type names, now or when it is made: that one is noted and dropped as
-- well. (So it is when it names a type that had packs, which happens only when somebody has changed rows by hand.) It is looked at when the
-- type's mark is held, for who holds that keeps packs of the type from coming; and it is noted after all others, so that writers do not
-- wait for each other in a circle.
create function drop_packs(of_tenant text, owners text[], types text[]) returns void language plpgsql as $$
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
        and noted.type = any (string_to_array(absent, ' '))) then
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
