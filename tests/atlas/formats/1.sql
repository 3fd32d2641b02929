-- An atlas: one model, its nodes, and what was rendered of its units. docs/atlas-format.md explains it.

CREATE TABLE model (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  title TEXT NOT NULL,
  summary TEXT NOT NULL,
  parameters INTEGER NOT NULL,
  labels TEXT NOT NULL,
  preprocessing TEXT NOT NULL,
  paper TEXT NOT NULL,
  paper_url TEXT NOT NULL,
  licence TEXT NOT NULL,
  lineage TEXT NOT NULL,
  source TEXT NOT NULL
) STRICT;

CREATE TABLE node (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  units INTEGER NOT NULL,
  shape TEXT NOT NULL,
  field_size INTEGER NOT NULL,
  field_stride INTEGER NOT NULL,
  field_start INTEGER NOT NULL,
  field_status TEXT NOT NULL,
  parents TEXT NOT NULL,
  aliases TEXT NOT NULL
) STRICT;

CREATE TABLE recipe (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  technique TEXT NOT NULL,
  variant TEXT NOT NULL,
  seed INTEGER NOT NULL,
  json TEXT NOT NULL
) STRICT;

CREATE TABLE maker (
  id INTEGER PRIMARY KEY,
  json TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE picture (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  mime TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  color TEXT NOT NULL,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE visualization (
  id INTEGER PRIMARY KEY,
  node INTEGER NOT NULL REFERENCES node,
  unit INTEGER NOT NULL CHECK (unit >= -1),
  recipe INTEGER NOT NULL REFERENCES recipe,
  picture INTEGER NOT NULL REFERENCES picture,
  score REAL NOT NULL,
  data TEXT NOT NULL,
  maker INTEGER NOT NULL REFERENCES maker,
  created INTEGER NOT NULL,
  seconds REAL NOT NULL,
  UNIQUE (node, unit, recipe)
) STRICT;

CREATE VIRTUAL TABLE search USING fts5 (
  text, kind UNINDEXED, node UNINDEXED, unit UNINDEXED,
  tokenize = "unicode61 remove_diacritics 2"
);
