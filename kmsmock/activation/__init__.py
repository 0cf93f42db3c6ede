"""How a mock becomes active: decorators, environment variables, clients, importing material."""
