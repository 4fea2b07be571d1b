-- Days on which one person reported within some hour far more than in other hours, and than others do in theirs.
WITH told AS (
    SELECT id, reporter_id, reported_at, CAST(reported_at AT TIME ZONE :zone AS date) AS day,
           count(*) OVER (PARTITION BY reporter_id ORDER BY reported_at
                          RANGE BETWEEN CURRENT ROW AND interval '1 hour' FOLLOWING) AS n
    FROM incident
    WHERE reporter_id IS NOT NULL AND source = 'patrol'
      AND reported_at >= CAST(:since AS timestamptz) - make_interval(days => CAST(:flood_days AS integer))
      AND reported_at < :until
), burst AS (
    SELECT DISTINCT ON (reporter_id, day) reporter_id, day, reported_at AS begins, n
    FROM told WHERE reported_at >= :since AND n >= :flood_least ORDER BY reporter_id, day, n DESC, reported_at
), hourly AS (
    SELECT reporter_id, date_trunc('hour', reported_at) AS hour, count(*) AS n FROM told GROUP BY 1, 2
), compared AS (
    SELECT burst.*, coalesce(usual.own, 0) AS own, coalesce(usual.peers, 0) AS peers
    FROM burst
    CROSS JOIN LATERAL (
        SELECT avg(hourly.n) FILTER (WHERE hourly.reporter_id = burst.reporter_id
                                     AND (hour >= begins + interval '1 hour' OR hour + interval '1 hour' <= begins)) AS own,
               avg(hourly.n) FILTER (WHERE hourly.reporter_id <> burst.reporter_id) AS peers
        FROM hourly
    ) usual
)
SELECT concat_ws(':', reporter_id, day) AS key, reporter_id AS account_id, account.name, begins,
       begins + interval '1 hour' AS ends,
       ARRAY(SELECT told.id FROM told WHERE told.reporter_id = compared.reporter_id
             AND told.reported_at BETWEEN begins AND begins + interval '1 hour' ORDER BY told.id) AS cases,
       jsonb_build_object('n', n, 'own', round(own, 1), 'peers', round(peers, 1)) AS evidence
FROM compared JOIN account ON account.id = reporter_id
WHERE n >= greatest(:flood_times * own, :flood_times * peers)
