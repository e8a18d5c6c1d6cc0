"""What users say of public services: metrics, series, observations with their history."""
