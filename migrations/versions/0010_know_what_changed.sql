-- Say of each list that hardly ever changes which version it has, so that programs may keep it between transactions.

CREATE TABLE list_version (
    list VARCHAR(16) NOT NULL CONSTRAINT pk_list_version PRIMARY KEY,
    version UUID NOT NULL,
    written_by BIGINT NOT NULL
);

CREATE FUNCTION renew_list_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO list_version
    SELECT list, gen_random_uuid(), pg_current_xact_id()::text::bigint FROM unnest(TG_ARGV) list ORDER BY list
    ON CONFLICT (list) DO UPDATE SET version = EXCLUDED.version, written_by = EXCLUDED.written_by
    WHERE list_version.written_by <> EXCLUDED.written_by;
    RETURN NULL;
END
$$;

CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON edition
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('editions');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON category_table
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('categories');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON category
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('categories');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON policy_table
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('policies');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON policy
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('policies');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON worked_hours
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('calendar');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON special_day
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('calendar');
-- A new password or language changes nothing that is kept.
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OF id, active, body OR DELETE OR TRUNCATE ON account
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('accounts');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON role_grant
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('accounts');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON notice_wish
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('wishes');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON notice_address
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('wishes');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON webhook
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('webhooks');
