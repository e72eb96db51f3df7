-- Packs tell of each of their records when it was updated, what it refers to, and of Provenances what they are about, so that exports choose
-- records without inflating what they do not want. Provenances that are the newest of one of their targets stand before the others. All
-- packs are made again.
truncate pack;
alter table pack add column columns bytea; -- of each record in the pack what exports choose by; null where there is none
alter table pack alter column columns set storage external;

insert into unpacked (tenant, owner, type)
  select distinct tenant, owner, type from record where owner <> ''
  union
  select distinct tenant, owner, '' from record where owner <> ''
on conflict (tenant, owner, type) do update set change = excluded.change, changed = excluded.changed;
