-- A client has one way of authentication: keys inline, keys behind a URL, or a shared secret.
alter table client add column secret_hash text;  -- scrypt, with its parameters and salt
alter table client drop constraint client_check;
alter table client add constraint client_authentication check (num_nonnulls(jwks, jwks_url, secret_hash) = 1);

-- The keys that sign access tokens follow one another by number. Each is published at once, signs from signs_from on until
-- the next one does, and verifies until the last of its tokens has expired.
alter table signing_key add column number integer, add column signs_from timestamptz;
update signing_key set signs_from = created, number = place.number
  from (select kid, row_number() over (order by current, created) as number from signing_key) place
  where place.kid = signing_key.kid;
alter table signing_key alter column number set not null, alter column signs_from set not null;
alter table signing_key add constraint signing_key_number unique (number);
alter table signing_key drop column current;  -- and its index
-- A key that was removed before its time is not believed any more. Its row stays until then, so that the one before it does not
-- come to life again.
alter table signing_key add column removed timestamptz;
alter table signing_key alter column private_jwk drop not null;

-- Authorization servers of others whose tokens a tenant takes. Tokens are checked with the server's keys or by asking it.
create table trusted_issuer (
  tenant               text collate "C" not null references tenant,
  issuer               text collate "C" not null,
  jwks_url             text,
  introspection_url    text,
  introspection_client text,
  introspection_secret text,
  algorithms           text[]      not null,
  audience             text,           -- null: tokens have none and name the tenant in Oracle's claims
  foreign_tenant       text        not null,
  created              timestamptz not null default now(),
  primary key (tenant, issuer),
  check (num_nonnulls(jwks_url, introspection_url) = 1),
  check (num_nonnulls(introspection_url, introspection_client, introspection_secret) in (0, 3))
);
