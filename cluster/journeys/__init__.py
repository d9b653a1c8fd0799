"""What happened to each request, and because of what. `trace` records; `store` keeps and replays."""
