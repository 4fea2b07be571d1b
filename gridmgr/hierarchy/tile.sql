-- One vector tile: the outlines of a level in its box, inside the scope of the caller or above it.
WITH tile AS (SELECT ST_TileEnvelope(:z, :x, :y) AS box)
SELECT ST_AsMVT(feature, :level, :extent, 'geom') FROM (
    SELECT ST_AsMVTGeom(shape.geom, tile.box, :extent, 64, true) AS geom, shape.code, shape.name
    FROM tile_shape shape, tile
    WHERE shape.stamp = :stamp AND shape.level = :level AND shape.band = :band
      AND shape.geom && tile.box
      AND (:everything OR shape.code LIKE ANY (:inside) OR shape.parent_code LIKE ANY (:inside)
           OR shape.code = ANY (:above))
) AS feature
