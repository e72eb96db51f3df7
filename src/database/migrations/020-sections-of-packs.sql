-- Records of a patient and type that are alike stand together in packs, and such sections can be copied without the rest. All packs are
-- made again.
truncate pack;

insert into unpacked (tenant, owner, type)
  select distinct tenant, owner, type from record where owner <> ''
  union
  select distinct tenant, owner, '' from record where owner <> ''
on conflict (tenant, owner, type) do update set change = excluded.change, changed = excluded.changed;
