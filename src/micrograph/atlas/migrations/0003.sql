-- Version 3: results about other subjects than nodes and units, which nodes are worth a picture,
-- digests of arrays; the table of dictionaries, which files of version 2 may lack, is always there.

CREATE TABLE IF NOT EXISTS dictionary (
  node INTEGER PRIMARY KEY REFERENCES node,
  digest BLOB NOT NULL,
  json TEXT NOT NULL
) STRICT;

ALTER TABLE node ADD COLUMN worth INTEGER CHECK (worth IN (0, 1));

ALTER TABLE array ADD COLUMN digest BLOB;

CREATE TABLE visualization_3 (
  id INTEGER PRIMARY KEY,
  node INTEGER REFERENCES node,
  unit INTEGER NOT NULL CHECK (unit >= -1),
  recipe INTEGER NOT NULL REFERENCES recipe,
  picture INTEGER REFERENCES picture,
  score REAL NOT NULL,
  data TEXT NOT NULL,
  maker INTEGER NOT NULL REFERENCES maker,
  created INTEGER NOT NULL,
  seconds REAL NOT NULL,
  subject TEXT NOT NULL CHECK (subject <> '' OR node IS NOT NULL),
  UNIQUE (node, unit, recipe, subject)
) STRICT;

INSERT INTO visualization_3
SELECT id, node, unit, recipe, picture, score, data, maker, created, seconds, ''
FROM visualization;

DROP TABLE visualization;

ALTER TABLE visualization_3 RENAME TO visualization;

CREATE UNIQUE INDEX visualization_subject ON visualization (subject, recipe) WHERE subject <> '';
