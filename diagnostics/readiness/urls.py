from django.urls import path

from diagnostics.readiness import views

app_name = "readiness"
urlpatterns = [
    path("", views.listing, name="list"),
    path("progress/", views.progress, name="progress"),
    path("check/", views.check, name="check"),
]
