-- Current records by their business identifiers, for conditional requests and references. Derived from the bodies; a look-up always
-- compares with the body, so that a row that should not be there answers nothing. Explained in docs/decisions/0034.

create table identifier (
  tenant text collate "C" not null,
  type   text collate "C" not null,
  token  bytea            not null, -- the first 16 bytes of SHA-256 of system || '|' || value, in UTF-8
  id     text collate "C" not null,
  primary key (tenant, type, token, id)
) with (autovacuum_vacuum_insert_scale_factor = 0.1);

-- The token of an identifier; src/records/identifiers.ts makes the same.
create function identifier_token(system text, value text) returns bytea language sql immutable parallel safe as $$
  select substr(sha256(convert_to(system || '|' || value, 'UTF8')), 1, 16)
$$;

-- A JSON text with U+FFFD in place of escapes that stand for no text in PostgreSQL: NUL, and halves of surrogate pairs. An escaped
-- backslash is written in another way first, so that what then begins with a backslash is an escape.
create function with_readable_escapes(body text) returns text language sql immutable parallel safe as $$
  select regexp_replace(
    regexp_replace(
      replace(replace(body, '\\', '\u005c'), '\u0000', '\ufffd'),
      '\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])', '\\ufffd', 'g'),
    '(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}', '\\ufffd', 'g')
$$;

-- The identifiers of a body: what src/fhir/identifier.ts finds in the parsed one. Not jsonb, which has no number of any size.
create function identifiers_of(body text) returns table (system text, value text) language plpgsql immutable parallel safe as $$
declare
  element json;
begin
  begin
    element := body::json -> 'identifier';
  exception when untranslatable_character or invalid_text_representation then
    element := with_readable_escapes(body)::json -> 'identifier';
  end;
  if json_typeof(element) = 'object' then
    element := json_build_array(element);
  end if;
  if json_typeof(element) = 'array' then
    return query
      select coalesce(item ->> 'system', ''), item ->> 'value' from json_array_elements(element) as item
      where json_typeof(item) = 'object' and json_typeof(item -> 'value') = 'string'
        and coalesce(json_typeof(item -> 'system'), 'string') = 'string';
  end if;
end
$$;

insert into identifier (tenant, type, token, id)
  select r.tenant, r.type, identifier_token(found.system, found.value), r.id
  from record r cross join lateral identifiers_of(r.body) found
  where r.lead and r.superseded = 'infinity' and not r.deleted
on conflict do nothing;
