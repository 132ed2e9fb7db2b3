"""A room of people who follow a presenter, held in memory by the server of a workshop and forgotten when it ends."""
