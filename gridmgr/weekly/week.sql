-- What was entered into the records from :begin until before :end, by who did it and the street it was done in.
--
-- Each step lies in the street that held its case then: that of the last step before it which says where it lies.

WITH done AS MATERIALIZED (
    SELECT event.incident_id, event.seq, event.action, event.actor_id, event.occurred_at,
           coalesce(placed.street, '') AS street
    FROM incident_event event
    LEFT JOIN LATERAL (
        SELECT earlier.payload ->> 'street_code' AS street
        FROM incident_event earlier
        WHERE earlier.incident_id = event.incident_id AND earlier.seq <= event.seq
          AND earlier.action IN ('report', 'rehome')
        ORDER BY earlier.seq DESC
        LIMIT 1
    ) AS placed ON true
    WHERE event.recorded_at >= :begin AND event.recorded_at < :end
), ended AS (
    SELECT DISTINCT ON (clock.id) clock.id, clock.state, done.actor_id, done.street
    FROM case_clock clock
    JOIN done ON done.incident_id = clock.incident_id AND done.occurred_at = clock.ended_at
    WHERE clock.state IN ('met', 'missed') AND done.actor_id IS NOT NULL
    ORDER BY clock.id, done.seq DESC
), work AS (
    SELECT actor_id AS account_id, street,
           count(*) FILTER (WHERE action = 'report') AS reports,
           count(*) FILTER (WHERE action <> 'report' AND actor_id IS NOT NULL) AS steps,
           0 AS pieces, 0 AS met, 0 AS missed
    FROM done
    GROUP BY actor_id, street
    UNION ALL
    SELECT actor_id, street, 0, 0, 0, count(*) FILTER (WHERE state = 'met'), count(*) FILTER (WHERE state = 'missed')
    FROM ended
    GROUP BY actor_id, street
    UNION ALL
    SELECT deed.doer_id, coalesce(piece.street_code, ''), 0, 0, count(*), 0, 0
    FROM claim_deed deed
    JOIN piece ON piece.id = deed.piece_id
    WHERE deed.deed = 'accept' AND deed.at >= :begin AND deed.at < :end
    GROUP BY deed.doer_id, piece.street_code
)
SELECT account_id, street, sum(reports)::int, sum(steps)::int, sum(pieces)::int, sum(met)::int, sum(missed)::int
FROM work
GROUP BY account_id, street
