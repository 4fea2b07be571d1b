-- Send by short message and to robots of groups, and hold back what comes in somebody's quiet hours.

CREATE TABLE quiet_hours (
    account_id INTEGER NOT NULL CONSTRAINT pk_quiet_hours PRIMARY KEY
        CONSTRAINT fk_quiet_hours_account_id REFERENCES account (id) ON DELETE CASCADE,
    begins SMALLINT NOT NULL,
    ends SMALLINT NOT NULL,
    days SMALLINT[] NOT NULL
);
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON quiet_hours
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('wishes');

ALTER TABLE webhook ADD flavour VARCHAR(16) NOT NULL DEFAULT 'json', ADD name VARCHAR(100) NOT NULL DEFAULT '',
    ADD area VARCHAR(32) NOT NULL DEFAULT '', ADD body VARCHAR(100) NOT NULL DEFAULT '';

ALTER TABLE delivery ADD held BOOLEAN NOT NULL DEFAULT false,
    ADD merged_into BIGINT CONSTRAINT fk_delivery_merged_into REFERENCES delivery (id) ON DELETE CASCADE;
CREATE INDEX ix_delivery_merged_into ON delivery (merged_into);
