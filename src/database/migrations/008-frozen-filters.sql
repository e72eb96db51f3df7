-- A type of an export may be narrowed by several lists of queries: by `_typeFilter`, and by the granular scopes of the token.
-- Jobs have had one list for each type.
update job set request = jsonb_set(request, '{filters}', (
  select coalesce(jsonb_object_agg(key, jsonb_build_array(value)), '{}') from jsonb_each(request -> 'filters')
));
