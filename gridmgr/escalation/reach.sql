-- Part of other statements: whom each row of `named` (id, rung, seat, key) reaches. A grant on the beginning of a code
-- sits there; a department is named whole.

seat AS MATERIALIZED (
    {seats}
),
width AS (SELECT DISTINCT seat, length(key) AS letters FROM seat),
reached AS MATERIALIZED (
    SELECT named.id, named.rung, array_agg(DISTINCT account_id) AS accounts
    FROM named
    JOIN width USING (seat)
    JOIN seat ON seat.seat = named.seat AND seat.key = left(named.key, letters)
    WHERE named.seat <> 'department' OR seat.key = named.key
    GROUP BY named.id, named.rung
),
