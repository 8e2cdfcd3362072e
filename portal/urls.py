from django.contrib import admin
from django.urls import include, path

from portal import doors
from portal.access import ANY_PERSON, needs
from portal.views import audit, health, home, switches

handler400 = "portal.bodies.bad_request"
urlpatterns = [
    path("", home.home, name="home"),
    path("search/", home.search, name="search"),
    path("login/", doors.Login.as_view(), name="login"),
    path("logout/", needs(ANY_PERSON)(doors.Logout.as_view()), name="logout"),
    path("password/", needs(ANY_PERSON)(doors.Password.as_view()), name="password"),
    path("theme/", switches.theme, name="theme"),
    path("language/", switches.language, name="language"),
    path("instances/", include("instances.urls")),
    path("cases/", include("diagnostics.urls")),
    path("readiness/", include("diagnostics.readiness.urls")),
    path("", include("commands.urls")),
    path("audit/", audit.listing, name="audit"),
    path("notices/", include("portal.notices.urls")),
    path("health/", health.page, name="health"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
]
