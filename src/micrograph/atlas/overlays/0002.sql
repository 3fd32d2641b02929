-- What a reader lays over a file of version 1, so that it reads like one of version 2.

CREATE TEMP VIEW array (visualization, name, dtype, shape, data, digest) AS
SELECT NULL, NULL, NULL, NULL, NULL, NULL WHERE 0;

CREATE TEMP VIEW dataset (id, name, digest, title, licence, pictures, classes, size) AS
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE 0;

CREATE TEMP VIEW sample (dataset, number, name, class, picture) AS
SELECT NULL, NULL, NULL, NULL, NULL WHERE 0;
