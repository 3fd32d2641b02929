"""The networks that cards build, and the adapters of other libraries."""
