from django.urls import path

from diagnostics.views import by_hand, cases, evidence, reports, signatures, trust

app_name = "diagnostics"
urlpatterns = [
    path("", cases.listing, name="list"),
    path("new/", cases.open_case, name="open"),
    path("signatures/", signatures.listing, name="signatures"),
    path("hits/", trust.hits, name="hits"),
    path("sent/", reports.sent, name="sent"),
    path("sent/<int:pk>/", reports.sent_report, name="sent-report"),
    path("sent/<int:pk>/report.<str:form>", reports.sent_document, name="sent-document"),
    path("<int:pk>/", cases.detail, name="case"),
    path("<int:pk>/progress/", cases.progress, name="progress"),
    path("<int:pk>/judge/", cases.judge_again, name="judge"),
    path("<int:pk>/mark/", trust.mark, name="mark"),
    path("<int:pk>/by-hand/", by_hand.page, name="by-hand"),
    path("<int:pk>/evidence/<int:key>/kind/", by_hand.kind, name="kind"),
    path("<int:pk>/report/", reports.report, name="report"),
    path("<int:pk>/report.<str:form>", reports.download, name="download"),
    path("<int:pk>/send/", reports.send, name="send"),
    path("<int:pk>/script/", evidence.script, name="script"),
    path("<int:pk>/evidence/<int:key>/", evidence.evidence, name="evidence"),
    path("<int:pk>/evidence/<int:key>/raw/", evidence.evidence_raw, name="evidence-raw"),
]
