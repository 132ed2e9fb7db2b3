"""The figures of the experiments on the page Mechanisms, a file an experiment."""
