-- A client has one way of authentication: keys inline, keys behind a URL, or a shared secret.
alter table client add column secret_hash text;  -- scrypt, with its parameters and salt
alter table client drop constraint client_check;
alter table client add constraint client_authentication check (num_nonnulls(jwks, jwks_url, secret_hash) = 1);
