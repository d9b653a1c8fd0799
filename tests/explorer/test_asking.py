"""Whoever asks the explorer is asked who they are: there is no view that does not know whom somebody acts as."""

from __future__ import annotations

from cluster.explorer.asking import ExplorerView
from cluster.explorer.urls import urlpatterns


def test_every_view_of_the_explorer_knows_whom_somebody_acts_as():
    views = [one.callback for one in urlpatterns if str(one.pattern).startswith("explorer/")]
    assert len(views) > 15
    assert [one for one in views if not issubclass(one.view_class, ExplorerView)] == []
