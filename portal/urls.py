from django.contrib import admin
from django.urls import include, path

from portal import doors, views
from portal.access import ANY_PERSON, needs

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("login/", doors.Login.as_view(), name="login"),
    path("logout/", needs(ANY_PERSON)(doors.Logout.as_view()), name="logout"),
    path("theme/", views.theme, name="theme"),
    path("language/", views.language, name="language"),
    path("instances/", include("instances.urls")),
    path("cases/", include("diagnostics.urls")),
    path("admin/", admin.site.urls),
]
