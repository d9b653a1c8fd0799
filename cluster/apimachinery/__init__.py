"""What both sides of the API server's door share: errors, selectors, quantities, metadata (k8s.io/apimachinery)."""
