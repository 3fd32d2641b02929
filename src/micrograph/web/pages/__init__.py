"""The pages as plain data. HTML and JSON are two ways to write these objects down."""
