"""What subscriptions to entities and to registrations have in common: where notifications go."""
