-- Store files by their content, and keep who has sent each.

CREATE TABLE stored_file (
    sha256 VARCHAR(64) NOT NULL,
    media_type VARCHAR(100) NOT NULL,
    size BIGINT NOT NULL,
    width INTEGER,
    height INTEGER,
    uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_stored_file PRIMARY KEY (sha256)
);
CREATE INDEX ix_stored_file_uploaded_at ON stored_file (uploaded_at);

CREATE TABLE file_sender (
    sha256 VARCHAR(64) NOT NULL,
    account_id INTEGER NOT NULL,
    CONSTRAINT pk_file_sender PRIMARY KEY (sha256, account_id),
    CONSTRAINT fk_file_sender_sha256 FOREIGN KEY(sha256) REFERENCES stored_file (sha256) ON DELETE CASCADE,
    CONSTRAINT fk_file_sender_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE INDEX ix_file_sender_account_id ON file_sender (account_id);
