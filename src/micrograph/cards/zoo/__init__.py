"""One file per architecture, which defines `CARD`; files with `_` hold what several cards share."""
