"""API priority and fairness as far as it can be seen: its objects, which of them a request falls under, and what headers say so."""
