"""Pure helpers, named by noun; no models and no stages."""
