"""A network whose compositions are known: things that it recognizes by chosen parts."""
