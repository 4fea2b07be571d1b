-- Keep whom a comment names, and give ready-made notes an English text.

ALTER TABLE incident_comment ADD COLUMN mentions JSONB NOT NULL DEFAULT '[]';
ALTER TABLE incident_comment ALTER COLUMN mentions DROP DEFAULT;

ALTER TABLE phrase RENAME COLUMN text TO zh;
ALTER TABLE phrase RENAME CONSTRAINT uq_phrase_action_category_text TO uq_phrase_action_category_zh;
ALTER TABLE phrase ADD COLUMN en VARCHAR(500) NOT NULL DEFAULT '';
ALTER TABLE phrase ALTER COLUMN en DROP DEFAULT;
