"""URLs of the explorer."""

from django.urls import path, re_path

from cluster.explorer import audit, library, past, sandbox, termination, views, why
from cluster.explorer.lessons import views as lessons

urlpatterns = [
    path("", views.page, name="page"),
    # The page's own addresses: `/explore/<view>/…` is read by the page itself.
    re_path(r"^explore(?:/.*)?$", views.page, name="explore"),
    path("explorer/pipeline/", views.PipelineView.as_view(), name="pipeline"),
    path("explorer/journeys/", views.JourneysView.as_view(), name="journeys"),
    path("explorer/journeys/<str:root>/", views.JourneyView.as_view(), name="journey"),
    path("explorer/timeline/", past.TimelineView.as_view(), name="timeline"),
    path("explorer/past/", past.PastView.as_view(), name="past"),
    path("explorer/changes/", past.ChangesView.as_view(), name="changes"),
    path("explorer/termination/", termination.TerminationView.as_view(), name="termination"),
    path("explorer/why/", why.WhyView.as_view(), name="why"),
    path("explorer/sandbox/", sandbox.SandboxView.as_view(), name="sandbox"),
    path("explorer/audit/", audit.AuditView.as_view(), name="audit"),
    path("explorer/audit/<int:pk>/", audit.AuditEventView.as_view(), name="audit-event"),
    path("explorer/lessons/", lessons.LessonsView.as_view(), name="lessons"),
    path("explorer/lessons/<str:name>/", lessons.LessonView.as_view(), name="lesson"),
    path("explorer/rates/", views.RatesView.as_view(), name="rates"),
    path("explorer/examples/", views.ExamplesView.as_view(), name="examples"),
    path("explorer/manifests/", library.LibraryView.as_view(), name="manifests"),
    path("explorer/manifests/<int:pk>/", library.ManifestView.as_view(), name="manifest"),
    path("explorer/manifests/<int:pk>/share/", library.ShareView.as_view(), name="manifest-share"),
    path("explorer/shared/<str:share>/", library.SharedView.as_view(), name="shared-manifest"),
]
