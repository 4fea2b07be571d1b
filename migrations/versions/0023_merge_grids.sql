-- Keep the lines a grid member serves, so that party, city, security and migrant grids are one grid.

CREATE TABLE member_line (
    id SERIAL CONSTRAINT pk_member_line PRIMARY KEY,
    account_id INTEGER NOT NULL CONSTRAINT fk_member_line_account_id REFERENCES account (id) ON DELETE CASCADE,
    code VARCHAR(32) NOT NULL,
    line VARCHAR(32) NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE
);
CREATE UNIQUE INDEX ix_member_line_now ON member_line (code, account_id, line) WHERE until IS NULL;
CREATE INDEX ix_member_line_account ON member_line (account_id);
