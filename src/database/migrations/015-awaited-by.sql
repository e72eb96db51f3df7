-- What a Provenance waits for goes with it: before, only the arrival of a target took its row away.
create index awaited_by on awaited_target (tenant, provenance);
delete from awaited_target a where not exists (
  select from record r
  where r.tenant = a.tenant and r.type = 'Provenance' and r.id = a.provenance and r.lead and r.superseded = 'infinity'
    and not r.deleted and a.type || '/' || a.id = any (string_to_array(r.targets, ' ')));
