"""The questions an atlas answers, in SQL. `{at}` is one of AT_PLACE and ABOUT."""

AT_PLACE = """
v.node = (SELECT id FROM node WHERE name = :node) AND v.unit = :unit AND v.subject = ''
"""
ABOUT = "v.subject = :subject AND v.subject <> ''"

# The best picture per unit: wide enough first, then the closest to the width that was asked for
# (the largest where none is wide enough), then the lowest seed, then the newest.
TILES = """
SELECT unit, digest, mime, width, height, color, score, seed FROM (
  SELECT v.unit, lower(hex(p.digest)) AS digest, p.mime, p.width, p.height, p.color, v.score,
    r.seed, row_number() OVER (
      PARTITION BY v.unit
      ORDER BY p.width >= :width DESC, iif(p.width >= :width, p.width, -p.width), r.seed,
        v.created DESC, v.id DESC
    ) AS place
  FROM visualization v JOIN recipe r ON r.id = v.recipe JOIN picture p ON p.id = v.picture
  WHERE v.node = (SELECT id FROM node WHERE name = :node)
    AND v.unit BETWEEN :first AND :last AND v.subject = ''
    AND r.technique = :technique AND r.variant = :variant AND (:seed IS NULL OR r.seed = :seed)
) WHERE place = 1 ORDER BY unit LIMIT :most
"""

# The picture that VISUALIZATIONS has first of each unit, of all nodes.
FIRST_PICTURES = """
SELECT name, unit, digest, mime, width, height, color, score, seed FROM (
  SELECT n.name, n.position, v.unit, lower(hex(p.digest)) AS digest, p.mime, p.width, p.height,
    p.color, v.score, r.seed, row_number() OVER (
      PARTITION BY v.node, v.unit ORDER BY r.seed, p.width DESC, v.created DESC, v.id DESC
    ) AS place
  FROM visualization v JOIN recipe r ON r.id = v.recipe JOIN picture p ON p.id = v.picture
    JOIN node n ON n.id = v.node
  WHERE v.unit >= 0 AND v.subject = '' AND r.technique = :technique AND r.variant = :variant
) WHERE place = 1 ORDER BY position, unit
"""

VISUALIZATIONS = """
SELECT r.technique, r.variant, r.json, r.seed, v.score, lower(hex(p.digest)), p.mime, p.width,
  p.height, p.color, v.data, m.json, v.created, v.seconds
FROM visualization v JOIN recipe r ON r.id = v.recipe LEFT JOIN picture p ON p.id = v.picture
  JOIN maker m ON m.id = v.maker
WHERE {at} AND (:technique IS NULL OR r.technique = :technique)
ORDER BY r.technique, r.variant, r.seed, p.width DESC, v.created DESC, v.id DESC
"""

NODES_WITH_RESULTS = """
SELECT name FROM node n WHERE EXISTS (SELECT 1 FROM visualization v WHERE v.node = n.id)
"""

# For every unit of a node, the node itself (-1) first, the lowest seed's newest result.
RESULTS = """
SELECT unit, technique, variant, json, seed, score, digest, mime, width, height, color, data,
  maker, created, seconds FROM (
  SELECT v.unit, r.technique, r.variant, r.json, r.seed, v.score, lower(hex(p.digest)) AS digest,
    p.mime, p.width, p.height, p.color, v.data, m.json AS maker, v.created, v.seconds,
    row_number() OVER (PARTITION BY v.unit ORDER BY r.seed, v.created DESC, v.id DESC) AS place
  FROM visualization v JOIN recipe r ON r.id = v.recipe LEFT JOIN picture p ON p.id = v.picture
    JOIN maker m ON m.id = v.maker
  WHERE v.node = (SELECT id FROM node WHERE name = :node) AND v.subject = ''
    AND r.technique = :technique AND r.variant = :variant
    AND (v.unit < 0 OR v.unit BETWEEN :first AND :last)
) WHERE place = 1 ORDER BY unit
"""

ARRAYS = """
SELECT a.name, a.dtype, a.shape, a.data, a.digest FROM array a WHERE a.visualization = (
  SELECT v.id FROM visualization v JOIN recipe r ON r.id = v.recipe
  WHERE {at} AND r.technique = :technique AND r.variant = :variant
    AND EXISTS (SELECT 1 FROM array WHERE visualization = v.id)
  ORDER BY r.seed, v.created DESC, v.id DESC LIMIT 1
)
"""

SUBJECTS = """
SELECT DISTINCT v.subject FROM visualization v JOIN recipe r ON r.id = v.recipe
WHERE v.subject <> '' AND (:technique IS NULL OR r.technique = :technique)
  AND (:node IS NULL OR v.node = (SELECT id FROM node WHERE name = :node))
ORDER BY v.subject
"""

BY_RECIPE = """
SELECT unit FROM visualization WHERE subject = ''
  AND node = (SELECT id FROM node WHERE name = :node)
  AND recipe = (SELECT id FROM recipe WHERE digest = :digest)
"""

DATASETS = """
SELECT name, lower(hex(digest)), title, pictures, size, licence, classes FROM dataset ORDER BY id
"""

DATASET_DIGESTS = "SELECT lower(hex(digest)) FROM dataset"

SAMPLES = """
SELECT s.number, s.name, s.class, lower(hex(p.digest)), p.mime, p.width, p.height, p.color
FROM sample s LEFT JOIN picture p ON p.id = s.picture
WHERE s.dataset = (SELECT id FROM dataset WHERE digest = :dataset)
  AND s.number IN (SELECT value FROM json_each(:numbers))
"""

SAMPLE_CLASSES = """
SELECT number, class FROM sample WHERE dataset = (SELECT id FROM dataset WHERE digest = ?)
"""

PICTURE = "SELECT mime, width, height, color, data FROM picture WHERE digest = ?"

# The model and its nodes come first in the table. Of words that stand everywhere in a large one the
# first rows have to do: ordering all of them would take long.
SEARCH = """
SELECT kind, node, unit, text FROM (
  SELECT kind, node, unit, text, rank AS place, rowid AS number FROM search WHERE search MATCH ?
  LIMIT 5000
) ORDER BY instr('model node label', kind), place, number LIMIT ?
"""

SEARCH_ROW = "SELECT 1 FROM search WHERE search MATCH ? AND rowid = ?"
SEARCH_ENDS = """
SELECT id, c0 FROM search_content
WHERE id IN (SELECT min(id) FROM search_content UNION ALL SELECT max(id) FROM search_content)
"""
SEARCH_PAGES = (
    "SELECT sum(length(block)) FROM search_data",
    "SELECT max(length(c0)), max(length(c2)) FROM search_content",
    "SELECT max(length(sz)) FROM search_docsize",
)
"""What reads every page of the full-text index once, if not what stands on it."""

RENDERED = """
SELECT DISTINCT n.name, r.technique, r.variant, v.unit
FROM visualization v JOIN node n ON n.id = v.node JOIN recipe r ON r.id = v.recipe
WHERE v.subject = ''
"""

COUNTS = """
SELECT n.name, c.technique, c.variant, c.units - c.whole, c.whole FROM (
  SELECT v.node, r.technique, r.variant, count(DISTINCT v.unit) AS units, max(v.unit < 0) AS whole
  FROM visualization v JOIN recipe r ON r.id = v.recipe WHERE v.subject = '' GROUP BY 1, 2, 3
) c JOIN node n ON n.id = c.node ORDER BY 1, 2, 3
"""

OF_LENSES = """
SELECT r.technique, count(*), count(DISTINCT v.node)
FROM visualization v JOIN recipe r ON r.id = v.recipe GROUP BY 1 ORDER BY 1
"""

SAMPLES_HELD = "SELECT count(*) FROM sample"

# All of one result, with the bytes of its picture.
WHOLE_RESULT = """
SELECT n.name, v.unit, v.subject, r.digest, v.picture, r.technique, r.variant, r.json, r.seed,
  v.score, lower(hex(p.digest)), p.mime, p.width, p.height, p.color, v.data, m.json, v.created,
  v.seconds, p.data
FROM visualization v LEFT JOIN node n ON n.id = v.node LEFT JOIN recipe r ON r.id = v.recipe
  LEFT JOIN picture p ON p.id = v.picture LEFT JOIN maker m ON m.id = v.maker
WHERE v.id = ?
"""

WHOLE_SAMPLES = """
SELECT s.number, s.name, s.class, lower(hex(p.digest)), p.mime, p.width, p.height, p.color,
  s.picture, p.data
FROM sample s LEFT JOIN picture p ON p.id = s.picture WHERE s.dataset = ? ORDER BY s.number
"""
