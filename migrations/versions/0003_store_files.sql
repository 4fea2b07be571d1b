-- Store files by their content.

CREATE TABLE stored_file (
    sha256 VARCHAR(64) NOT NULL,
    media_type VARCHAR(100) NOT NULL,
    size BIGINT NOT NULL,
    width INTEGER,
    height INTEGER,
    uploaded_by INTEGER,
    uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_stored_file PRIMARY KEY (sha256),
    CONSTRAINT fk_stored_file_uploaded_by FOREIGN KEY(uploaded_by) REFERENCES account (id)
);
CREATE INDEX ix_stored_file_uploaded_by ON stored_file (uploaded_by);
CREATE INDEX ix_stored_file_uploaded_at ON stored_file (uploaded_at);
