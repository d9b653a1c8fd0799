"""How everyone talks to the API server: client, informer, work queue, control loop, event recorder (client-go)."""
