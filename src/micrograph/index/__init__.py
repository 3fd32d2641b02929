"""What follows from the atlases of a library, kept in one file beside them that anybody may delete.

It holds which words each atlas can be found by, and what others (the site) want kept of it. Nothing
depends on it: an atlas that it does not know, or knew in another state, is read itself.
"""

from micrograph.index.index import Elsewhere, Index, Maker
from micrograph.index.places import places_for

__all__ = ["Elsewhere", "Index", "Maker", "places_for"]
