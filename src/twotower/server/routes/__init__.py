"""One file per group of routes; each holds a `router` that `create_app` includes."""
