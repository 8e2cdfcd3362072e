from django.urls import path

from diagnostics import by_hand, views

app_name = "diagnostics"
urlpatterns = [
    path("", views.listing, name="list"),
    path("new/", views.open_case, name="open"),
    path("<int:pk>/", views.detail, name="case"),
    path("<int:pk>/progress/", views.progress, name="progress"),
    path("<int:pk>/judge/", views.judge_again, name="judge"),
    path("<int:pk>/by-hand/", by_hand.page, name="by-hand"),
    path("<int:pk>/evidence/<int:key>/kind/", by_hand.kind, name="kind"),
    path("<int:pk>/report/", views.report, name="report"),
    path("<int:pk>/report.<str:form>", views.download, name="download"),
    path("<int:pk>/script/", views.script, name="script"),
    path("<int:pk>/evidence/<int:key>/", views.evidence, name="evidence"),
    path("<int:pk>/evidence/<int:key>/raw/", views.evidence_raw, name="evidence-raw"),
]
