"""Everything on disk: schema, store and provenance."""
