-- Keep turns of duty and leave, and let those who read who sits where know of them.

CREATE TABLE shift (
    id SERIAL CONSTRAINT pk_shift PRIMARY KEY,
    account_id INTEGER NOT NULL CONSTRAINT fk_shift_account_id REFERENCES account (id) ON DELETE CASCADE,
    role VARCHAR(32) NOT NULL,
    code VARCHAR(32) NOT NULL,
    substitute BOOLEAN NOT NULL,
    begins TIMESTAMP WITH TIME ZONE NOT NULL,
    ends TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT ck_shift_lasts CHECK (ends > begins AND ends <= begins + interval '24 hours')
);
CREATE INDEX ix_shift_seat ON shift (role, code text_pattern_ops, begins);
CREATE INDEX ix_shift_account ON shift (account_id, role, begins);
CREATE INDEX ix_shift_begins ON shift (begins);

CREATE TABLE leave (
    id SERIAL CONSTRAINT pk_leave PRIMARY KEY,
    account_id INTEGER NOT NULL CONSTRAINT fk_leave_account_id REFERENCES account (id) ON DELETE CASCADE,
    cover_id INTEGER CONSTRAINT fk_leave_cover_id REFERENCES account (id) ON DELETE SET NULL,
    begins TIMESTAMP WITH TIME ZONE NOT NULL,
    ends TIMESTAMP WITH TIME ZONE NOT NULL,
    reason VARCHAR(100) NOT NULL,
    CONSTRAINT ck_leave_lasts CHECK (ends > begins),
    CONSTRAINT ck_leave_covered_by_another CHECK (cover_id <> account_id)
);
CREATE INDEX ix_leave_account ON leave (account_id, ends);

DROP TRIGGER renew_list_version ON account;
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OF id, active, body OR DELETE OR TRUNCATE ON account
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('accounts', 'seats');
DROP TRIGGER renew_list_version ON role_grant;
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON role_grant
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('accounts', 'seats');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON shift
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('seats');
CREATE TRIGGER renew_list_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON leave
    FOR EACH STATEMENT EXECUTE FUNCTION renew_list_version('seats');
