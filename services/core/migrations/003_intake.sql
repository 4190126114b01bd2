-- Intake tokens: keys for people who are not members. One submits to one form and can do nothing else; its role INTAKE
-- is in no other key and no member's (001_core.sql has the check). The inputs service issues and ends them by the
-- functions here, which make no other key and touch none: it has no right to core.key itself but to look. Whoever
-- administers the organisation sees them among its keys, and can revoke them there as well.

create index key_form on core.key (tenant_id, form_id, id) where form_id is not null;

-- The form that the transaction's caller submits to; NULL: it has no intake token. For policies.
create function core.intake_form() returns uuid language sql stable parallel safe
    return (select k.form_id from core.key k where k.tenant_id = core.tenant() and k.id = core.actor());

-- A token and its use, as the form's keeper sees it.
create type core.intake_token as (
    id uuid, form_id uuid, name text, state text, expire_time timestamptz, last_use_time timestamptz,
    revision bigint, create_time timestamptz, update_time timestamptz
);

create function core.intake_tokens(p_tenant uuid, p_form uuid) returns setof core.intake_token
    language sql stable security definer set search_path = pg_catalog, pg_temp
    begin atomic
        select k.id, k.form_id, k.name, k.state, k.expire_time, u.last_use_time, k.revision, k.create_time,
               k.update_time
        from core.key k
        left join core.key_use u on u.tenant_id = k.tenant_id and u.id = k.id
        where k.tenant_id = p_tenant and k.form_id = p_form;
    end;

-- The limits of a token are its own, so the number of tokens that are good at once has one.
create function core.issue_intake_token(p_tenant uuid, p_id uuid, p_form uuid, p_name text, p_secret_sha256 bytea,
                                        p_expire_time timestamptz) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c_tokens_max constant integer := 100;
begin
    if p_form is null then
        raise exception 'an intake token is for a form';
    end if;
    if (select count(*) from core.key k
        where k.tenant_id = p_tenant and k.form_id is not null and k.state = 'ACTIVE'
          and (k.expire_time is null or k.expire_time > core.now())) >= c_tokens_max then
        perform core.fail('LIMIT_REACHED', 'limit=' || c_tokens_max || E'\nof=intake tokens');
    end if;
    insert into core.key (tenant_id, id, name, roles, form_id, secret_sha256, expire_time)
    values (p_tenant, p_id, p_name, '{INTAKE}', p_form, p_secret_sha256, p_expire_time);
end
$$;

-- Ends one token of the form, or (p_id null) all of them; answers those that were good.
create function core.revoke_intake_tokens(p_tenant uuid, p_form uuid, p_id uuid) returns setof core.intake_token
    language sql security definer set search_path = pg_catalog, pg_temp
    begin atomic
        update core.key k set state = 'REVOKED'
        where k.tenant_id = p_tenant and k.form_id = p_form and k.state = 'ACTIVE' and (p_id is null or k.id = p_id)
        returning k.id, k.form_id, k.name, k.state, k.expire_time, null::timestamptz, k.revision, k.create_time,
                  k.update_time;
    end;

revoke all on function core.intake_form, core.intake_tokens, core.issue_intake_token, core.revoke_intake_tokens
    from public;
grant execute on function core.intake_form to isms_inputs, isms_reviews, isms_actions, isms_reporting;
grant execute on function core.intake_tokens, core.issue_intake_token, core.revoke_intake_tokens to isms_inputs;
grant select (form_id) on core.key to isms_inputs, isms_actions, isms_reporting;
