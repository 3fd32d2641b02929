-- What a reader lays over a file of version 2, so that it reads like one of version 3. Only what
-- questions ask for.

CREATE TEMP VIEW node AS
SELECT id, name, position, kind, units, shape, field_size, field_stride, field_start,
  field_status, parents, aliases, NULL AS worth
FROM main.node;

CREATE TEMP VIEW visualization AS
SELECT id, node, unit, recipe, picture, score, data, maker, created, seconds, '' AS subject
FROM main.visualization;

-- Not where it is laid over version 1, which has no arrays.
CREATE TEMP VIEW IF NOT EXISTS array AS
SELECT visualization, name, dtype, shape, data, NULL AS digest FROM main.array;
