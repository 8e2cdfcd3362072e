from django.urls import path

from instances.views import events, groups, instances, regions

app_name = "instances"
urlpatterns = [
    path("", instances.listing, name="list"),
    path("<int:pk>/", instances.detail, name="detail"),
    path("events/", events.listing, name="events"),
    path("events/<int:pk>/", events.detail, name="event"),
    path("groups/", groups.listing, name="groups"),
    path("groups/new/", groups.create, name="group-new"),
    path("groups/<int:pk>/", groups.detail, name="group"),
    path("groups/<int:pk>/delete/", groups.delete, name="group-delete"),
    path("regions/", regions.listing, name="regions"),
    path("regions/<int:pk>/accept/", regions.accept, name="region-accept"),
]
