-- Who may call: tenants, their clients, and what the token endpoint needs.

create table tenant (
  id      text collate "C" primary key check (id ~ '^[A-Za-z0-9._-]{1,64}$'),
  profile text        not null check (profile in ('millennium', 'hl7')),
  created timestamptz not null default now()
);

create table client (
  id       text collate "C" primary key,  -- a random UUID
  tenant   text collate "C" not null references tenant,
  name     text        not null,
  scopes   text[]      not null,
  jwks     jsonb,                         -- public keys, registered inline …
  jwks_url text,                          -- … or published by the client
  created  timestamptz not null default now(),
  disabled timestamptz,
  check ((jwks is null) <> (jwks_url is null))
);
create index client_of_tenant on client (tenant, created);

-- The keys that sign access tokens. The current one signs, all of them verify.
create table signing_key (
  kid         text primary key,
  algorithm   text        not null,
  private_jwk jsonb       not null,
  public_jwk  jsonb       not null,
  current     boolean     not null,
  created     timestamptz not null default now()
);
create unique index signing_key_current on signing_key (current) where current;

-- Client assertions that were used. A row stays until its assertion could no longer be accepted.
create table assertion (
  client  text collate "C" not null references client on delete cascade,
  jti     text collate "C" not null,
  expires timestamptz not null,
  primary key (client, jti)
);
create index assertion_expires on assertion (expires);

-- Random keys that all servers of one store share.
create table secret (
  name  text primary key,
  value bytea not null
);
