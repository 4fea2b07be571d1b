-- The manned micro-grids (:manned) of the street of each of the cases :ids that are nearest to its place, as
-- (case, code, metres): those that somebody on duty can come from. The map is that of :day.

SELECT incident.id, unit.code, ST_Distance(unit.geom::geography, incident.geom::geography)
FROM incident
CROSS JOIN LATERAL (
    SELECT code, geom FROM grid_unit
    WHERE level = 'micro_grid' AND valid_from <= :day AND (valid_to IS NULL OR valid_to > :day)
      AND code = ANY(CAST(:manned AS text[])) AND starts_with(code, incident.street_code)
    ORDER BY grid_unit.geom <-> incident.geom
    LIMIT :most
) AS unit
WHERE incident.id = ANY(CAST(:ids AS bigint[]))
