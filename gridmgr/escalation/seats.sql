-- Who sits at which level at the instant :at: the holders of a role on the beginning of a code, and the people of a
-- department by its name.

SELECT seated.* FROM (
    WITH present AS MATERIALIZED (
        {sitting}
    )
    SELECT named.seat, present.key, present.account_id
    FROM present
    JOIN unnest(CAST(:roles AS text[]), CAST(:levels AS text[])) AS named (role, seat) ON named.role = present.role
    UNION
    SELECT 'department', body, account_id FROM present WHERE body IS NOT NULL
    UNION
    SELECT 'department', unnest(also), account_id FROM present WHERE also <> '{}'
) AS seated
