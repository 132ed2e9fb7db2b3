"""Teaching material: exercises with computed answers, their quantities, a glossary and a hand-out to print."""
