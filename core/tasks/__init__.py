"""Background work: the queue of trainings, its worker, and other computations in a process of their own."""
