"""Names of programs that the simulated machine knows beyond its commands."""

from __future__ import annotations

SHELLS = frozenset({"sh", "bash", "ash", "dash"})
# Programs that serve until they are signalled, in whatever image they are called by name.
SERVERS = frozenset(
    [
        "nginx",
        "httpd",
        "apachectl",
        "apache2-foreground",
        "redis-server",
        "valkey-server",
        "postgres",
        "mysqld",
        "mariadbd",
        "mongod",
        "memcached",
        "node",
        "java",
        "ruby",
        "php",
        "php-fpm",
        "gunicorn",
        "uvicorn",
        "daphne",
        "python",
        "python3",
        "caddy",
        "traefik",
        "haproxy",
        "agnhost",
        "pause",
        "top",
        "docker-entrypoint.sh",
    ]
)
