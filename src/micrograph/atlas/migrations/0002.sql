-- Version 2: arrays, datasets and samples; a visualization may have no picture.

CREATE TABLE visualization_2 (
  id INTEGER PRIMARY KEY,
  node INTEGER NOT NULL REFERENCES node,
  unit INTEGER NOT NULL CHECK (unit >= -1),
  recipe INTEGER NOT NULL REFERENCES recipe,
  picture INTEGER REFERENCES picture,
  score REAL NOT NULL,
  data TEXT NOT NULL,
  maker INTEGER NOT NULL REFERENCES maker,
  created INTEGER NOT NULL,
  seconds REAL NOT NULL,
  UNIQUE (node, unit, recipe)
) STRICT;

INSERT INTO visualization_2
SELECT id, node, unit, recipe, picture, score, data, maker, created, seconds FROM visualization;

DROP TABLE visualization;

ALTER TABLE visualization_2 RENAME TO visualization;

CREATE TABLE array (
  visualization INTEGER NOT NULL REFERENCES visualization,
  name TEXT NOT NULL,
  dtype TEXT NOT NULL,
  shape TEXT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (visualization, name)
) STRICT;

CREATE TABLE dataset (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  digest BLOB NOT NULL UNIQUE,
  title TEXT NOT NULL,
  licence TEXT NOT NULL,
  pictures INTEGER NOT NULL,
  classes TEXT NOT NULL,
  size INTEGER NOT NULL
) STRICT;

CREATE TABLE sample (
  dataset INTEGER NOT NULL REFERENCES dataset,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  class INTEGER NOT NULL,
  picture INTEGER REFERENCES picture,
  PRIMARY KEY (dataset, number)
) STRICT, WITHOUT ROWID;
