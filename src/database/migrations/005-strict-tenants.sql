-- A strict tenant answers as Oracle documents and no wider: its search parameters and rules on values, no wildcard scopes.
alter table tenant add column strict boolean not null default false;
alter table tenant add constraint strict_is_millennium check (not strict or profile = 'millennium');
