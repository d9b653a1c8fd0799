"""People: users (Django's), whose groups are Kubernetes' groups, and their access tokens."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person. `username` is the Kubernetes user name; Django's groups are Kubernetes' groups."""
