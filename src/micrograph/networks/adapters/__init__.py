"""Networks of other libraries and in files of the user's; see `micrograph.cards.adapters`."""
