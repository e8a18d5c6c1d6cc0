"""May a product enter its next stage? Criteria, evidence, committees, decisions and their conditions."""
