"""What happens over time: runs, forms, claims, builds, webhooks."""
