-- Let people on duty share where they are: whoever has a row shares, and only the last place is kept.

CREATE TABLE position (
    account_id INTEGER NOT NULL CONSTRAINT pk_position PRIMARY KEY
        CONSTRAINT fk_position_account_id REFERENCES account (id) ON DELETE CASCADE,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    geom geometry(POINT, 4326),
    accuracy_m DOUBLE PRECISION,
    code VARCHAR(32),
    CONSTRAINT ck_position_whole CHECK ((geom IS NULL) = (sent_at IS NULL))
);
CREATE INDEX ix_position_sent ON position (sent_at) WHERE sent_at IS NOT NULL;
