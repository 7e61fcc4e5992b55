"""A small real world to deploy to: a service that really runs, and traffic that really moves."""
