"""How often `data_worth` flags a refresh with shuffled outputs, and how often a sound one."""
