-- The audit trail: what was done, by whom, when, from where, and how it ended. Explained in docs/decisions/0017.

-- One entry. Each tenant has a chain of its own, '' is the store's: number 1, 2, 3 … without a gap, and each hash covers the hash before
-- it. `entry` is text, not jsonb: the bytes that were hashed are the bytes that are kept.
create table audit_entry (
  tenant   text collate "C" not null,
  number   bigint      not null,
  recorded timestamptz not null,
  entry    text        not null,
  hash     bytea       not null,
  primary key (tenant, number)
);
create index audit_entry_recorded on audit_entry (tenant, recorded, number);

-- The last entry of each chain. Its row is the lock of those who append, and shows that entries at the end are missing.
create table audit_head (
  tenant text collate "C" primary key,
  number bigint not null,
  hash   bytea  not null
);

-- The hash of an entry: SHA-256 over the previous hash and, each ended by a line feed, tenant, number, microseconds since 1970 and
-- entry. src/audit/chain.ts computes the same.
create function audit_hash(previous bytea, tenant text, number bigint, recorded timestamptz, entry text) returns bytea
language sql stable as $$
  select sha256(previous || convert_to(
    tenant || E'\n' || number || E'\n' || (extract(epoch from recorded) * 1000000)::bigint || E'\n' || entry || E'\n', 'UTF8'))
$$;

-- Appends an entry to a chain and gives its number. Whoever appends holds the chain until the transaction ends, so that an entry is
-- durable before the next one builds on it: call it as late as possible, and for several chains in the order of their names.
create function append_audit(chain text, content jsonb) returns bigint language plpgsql as $$
declare
  head   audit_head;
  moment timestamptz;
  sealed bytea;
begin
  insert into audit_head (tenant, number, hash) values (chain, 0, decode(repeat('00', 32), 'hex')) on conflict do nothing;
  select * into head from audit_head where tenant = chain for update;
  moment := date_trunc('milliseconds', clock_timestamp());
  sealed := audit_hash(head.hash, chain, head.number + 1, moment, content::text);
  insert into audit_entry (tenant, number, recorded, entry, hash)
    values (chain, head.number + 1, moment, content::text, sealed);
  update audit_head set number = head.number + 1, hash = sealed where tenant = chain;
  return head.number + 1;
end
$$;

-- Against mistakes, not against an administrator of the database: he can take the triggers away, and `audit verify` is what shows it.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only: % of % is refused', tg_op, tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger audit_entry_kept before update or delete on audit_entry for each row execute function refuse_audit_change();
create trigger audit_entry_all_kept before truncate on audit_entry for each statement execute function refuse_audit_change();
create trigger audit_head_kept before delete on audit_head for each row execute function refuse_audit_change();
create trigger audit_head_all_kept before truncate on audit_head for each statement execute function refuse_audit_change();
create trigger audit_head_forward before update on audit_head for each row
  when (new.tenant <> old.tenant or new.number <> old.number + 1) execute function refuse_audit_change();
