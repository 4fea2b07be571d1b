-- Keep departments, stations, teams, command rooms and task forces as bodies with one name each.

CREATE TABLE body (
    id SERIAL CONSTRAINT pk_body PRIMARY KEY,
    name VARCHAR(100) NOT NULL CONSTRAINT uq_body_name UNIQUE,
    kind VARCHAR(16) NOT NULL,
    aliases VARCHAR(100)[] NOT NULL,
    home_id INTEGER CONSTRAINT fk_body_home_id REFERENCES body (id),
    territory VARCHAR(32) NOT NULL,
    phone VARCHAR(32) NOT NULL,
    lines VARCHAR(100)[] NOT NULL,
    active BOOLEAN NOT NULL,
    CONSTRAINT ck_body_home_is_another CHECK (home_id <> id)
);
CREATE INDEX ix_body_home_id ON body (home_id);
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON body
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('bodies');

ALTER TABLE account ADD also VARCHAR(100)[] DEFAULT '{}' NOT NULL;
DROP TRIGGER renew_list_version ON account;
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OF id, active, body, also OR DELETE OR TRUNCATE ON account
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('accounts', 'seats');
