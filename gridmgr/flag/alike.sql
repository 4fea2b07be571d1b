-- Photos of one person on different cases that look alike though their bytes differ; plain ones look like any other.
WITH shot AS (
    SELECT step.actor_id, step.actor_name, step.occurred_at, file.incident_id, file.sha256, stored.looks
    FROM incident_event step
    JOIN incident_file file ON file.incident_id = step.incident_id AND file.seq = step.seq
    JOIN stored_file stored ON stored.sha256 = file.sha256
    WHERE step.occurred_at >= CAST(:since AS timestamptz) - make_interval(days => CAST(:alike_days AS integer))
      AND step.occurred_at < :until AND step.actor_id IS NOT NULL
      AND bit_count(CAST(stored.looks AS bit(64))) BETWEEN 8 AND 56
      AND EXISTS (SELECT FROM file_sender WHERE file_sender.sha256 = file.sha256)
), pairs AS (
    SELECT late.*, early.incident_id AS other, early.sha256 AS other_photo, early.occurred_at AS other_at,
           bit_count(CAST(late.looks # early.looks AS bit(64))) AS bits
    FROM shot late
    JOIN shot early ON early.actor_id = late.actor_id AND early.incident_id < late.incident_id
        AND early.sha256 <> late.sha256
    WHERE late.occurred_at >= :since
)
SELECT concat_ws(':', sha256, incident_id) AS key, actor_id AS account_id, max(actor_name) AS name,
       least(min(other_at), min(occurred_at)) AS begins, max(occurred_at) AS ends,
       array_append(array_agg(DISTINCT other), incident_id) AS cases,
       jsonb_build_object('n', count(DISTINCT other) + 1, 'bits', min(bits),
                          'photos', jsonb_build_array(sha256) || jsonb_agg(DISTINCT other_photo)) AS evidence
FROM pairs WHERE bits <= :alike_bits GROUP BY sha256, incident_id, actor_id
