-- An owner has packs of types without records, too: they are empty, and say that there is nothing. So an export of an owner all of whose
-- packs are there reads nothing else. The body of a pack begins with a label, which says everything about it; the columns are for planning
-- and choosing, and the seal is the CRC-32 of the body. All packs are made again.
truncate pack;
alter table pack drop column total, drop column crc, drop column refs, drop column shared, drop column targets, drop column undisputed;

insert into unpacked (tenant, owner, type) select distinct tenant, owner, type from record where owner <> ''
on conflict (tenant, owner, type) do update set change = excluded.change, changed = excluded.changed;

insert into unpacked (tenant, owner, type)
  select p.tenant, p.owner, t.type
  from (select distinct tenant, owner from record where type = 'Patient') p
  cross join unnest('{Patient,AllergyIntolerance,CarePlan,CareTeam,Condition,Device,DiagnosticReport,DocumentReference,Encounter,Goal,Immunization,MedicationRequest,Observation,Procedure,Provenance}'::text[]) as t(type)
on conflict (tenant, owner, type) do nothing;

drop function drop_packs(text, text[], text[]);

-- Notes owners and types (triples of the arrays) and drops their packs. Those that are not changed are noted unless they have packs. A
-- packer that is about to give one of them its packs either comes first, and its packs are dropped, or comes second, and finds another
-- change than it had read. There is never a mark and a pack of the same owner and type.
create function drop_packs(of_tenant text, owners text[], types text[], changes boolean[]) returns void language plpgsql as $$
declare
  noted record;
begin
  for noted in
    insert into unpacked (tenant, owner, type)
      select of_tenant, p.owner, p.type
      from (select owner, type, bool_or(change) as change from unnest(owners, types, changes) as a(owner, type, change) group by owner, type) p
      where p.change or not exists (select from pack where tenant = of_tenant and owner = p.owner and type = p.type)
      order by p.owner, p.type
    on conflict (tenant, owner, type) do update set change = excluded.change, changed = excluded.changed
    returning owner, type, xmax = 0 as fresh
  loop
    if noted.fresh then
      delete from pack where tenant = of_tenant and owner = noted.owner and type = noted.type;
    end if;
  end loop;
end
$$;
