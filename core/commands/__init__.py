"""The commands of the command line, see `core.cli`; each is a function whose parameters are its options."""
