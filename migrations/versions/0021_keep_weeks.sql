-- Keep the hours on duty of weeks that have ended, which nobody may change; find what was entered in a week.

CREATE TABLE week_kept (
    monday DATE NOT NULL CONSTRAINT pk_week_kept PRIMARY KEY,
    kept_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT ck_week_kept_monday CHECK (extract(isodow from monday) = 1)
);
CREATE TABLE week_on_duty (
    monday DATE NOT NULL CONSTRAINT fk_week_on_duty_monday REFERENCES week_kept (monday),
    account_id INTEGER NOT NULL CONSTRAINT fk_week_on_duty_account_id REFERENCES account (id),
    street_code VARCHAR(32) NOT NULL,
    seconds INTEGER NOT NULL,
    CONSTRAINT pk_week_on_duty PRIMARY KEY (monday, account_id, street_code)
);

CREATE FUNCTION weeks_are_kept_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the hours of a week that has ended are kept once' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON week_on_duty
    FOR EACH ROW EXECUTE FUNCTION weeks_are_kept_once();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON week_on_duty
    FOR EACH STATEMENT EXECUTE FUNCTION weeks_are_kept_once();
CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON week_kept
    FOR EACH ROW EXECUTE FUNCTION weeks_are_kept_once();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON week_kept
    FOR EACH STATEMENT EXECUTE FUNCTION weeks_are_kept_once();

CREATE INDEX ix_incident_event_recorded ON incident_event USING brin (recorded_at);
