"""What pages are made of: links, pictures, URLs, plots. Nothing of the web server."""
