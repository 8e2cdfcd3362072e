from django.urls import path

from portal.notices import views

app_name = "notices"
urlpatterns = [
    path("", views.listing, name="list"),
    path("<int:pk>/", views.message, name="message"),
    path("<int:pk>/again/", views.again, name="again"),
    path("channels/", views.channel_list, name="channels"),
    path("channels/new/<slug:kind>/", views.channel_new, name="channel-new"),
    path("channels/<int:pk>/", views.channel, name="channel"),
    path("channels/<int:pk>/test/", views.channel_test, name="channel-test"),
    path("channels/<int:pk>/switch/", views.channel_switch, name="channel-switch"),
    path("rules/", views.rule_list, name="rules"),
    path("rules/new/", views.rule_new, name="rule-new"),
    path("rules/<int:pk>/", views.rule, name="rule"),
    path("rules/<int:pk>/delete/", views.rule_delete, name="rule-delete"),
]
