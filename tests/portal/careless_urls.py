"""A view whose author forgot to say who may see it."""

from django.http import HttpResponse
from django.urls import path

from portal.urls import urlpatterns as ours

urlpatterns = [path("careless/", lambda request: HttpResponse("secret")), *ours]
