"""Who is asking: client certificates, tokens, sessions, impersonation. `authenticator.Authenticator` is the way in."""
