"""The site: an atlas as pages, each as HTML and as JSON."""

from micrograph.web.app import create_app
from micrograph.web.serve import serve

__all__ = ["create_app", "serve"]
