"""The live side's database: what visitors did, and which products came since the bundle."""
