"""What is configured: entities, database, migrations, secrets, and the snapshot compiled from them."""
