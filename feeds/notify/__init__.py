"""After a publish: caches are told what to forget, and the hub which feeds are new."""
