"""What several pages share: page state, header, pickers, charts, tables, the queue."""
