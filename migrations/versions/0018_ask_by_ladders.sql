-- Let policies differ by the level that holds the case, and keep the draft of the next table of them.

ALTER TABLE policy ADD COLUMN holder VARCHAR(16);
ALTER TABLE policy DROP CONSTRAINT uq_policy_table_id_category_severity_stage;
ALTER TABLE policy ADD CONSTRAINT uq_policy_table_id_category_severity_holder_stage
    UNIQUE NULLS NOT DISTINCT (table_id, category, severity, holder, stage);

CREATE TABLE policy_draft (
    id SMALLINT CONSTRAINT pk_policy_draft PRIMARY KEY,
    version INTEGER NOT NULL,
    rows JSONB NOT NULL,
    based_on VARCHAR(120) NOT NULL,
    saved_by VARCHAR(64) NOT NULL,
    saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT ck_policy_draft_one CHECK (id = 1)
);
