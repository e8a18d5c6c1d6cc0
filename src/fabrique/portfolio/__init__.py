"""What is incubated: organisations, incubators, products, their stages and events."""
