"""A federated mean, by NVFlare."""
