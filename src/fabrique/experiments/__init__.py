"""Plans as files, arms, counts, looks, analyses, decisions, deviations, learnings: from a hypothesis to an honest decision."""
