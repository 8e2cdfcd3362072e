from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path
from django.views.decorators.http import require_POST

from portal import views
from portal.access import ANY_PERSON, needs

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("login/", auth_views.LoginView.as_view(), name="login"),
    path(
        "logout/", require_POST(needs(ANY_PERSON)(auth_views.LogoutView.as_view())), name="logout"
    ),
    path("theme/", views.theme, name="theme"),
    path("language/", views.language, name="language"),
    path("instances/", include("instances.urls")),
    path("cases/", include("diagnostics.urls")),
    path("admin/", admin.site.urls),
]
