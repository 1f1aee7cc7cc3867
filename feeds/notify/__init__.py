"""After a publish: caches are purged, and the WebSub hub is notified of changed feeds."""
