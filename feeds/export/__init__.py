"""A Release, written out where a web server finds it; each module is imported for itself."""
