"""What is refreshed until it is ended: registrations, subscriptions, publications."""
