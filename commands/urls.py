from django.urls import path

from commands.views import agents, answers, approvals, compose, library, runs, saved

app_name = "commands"
urlpatterns = [
    path("commands/", saved.listing, name="list"),
    path("commands/ecs/", library.listing, name="library"),
    path("commands/ecs/read/", library.read, name="library-read"),
    path("commands/ecs/export/<int:pk>/", library.export, name="library-export"),
    path("commands/ecs/<int:pk>/take-over/", library.take_over, name="library-take-over"),
    path("commands/ecs/<int:pk>/rename/", library.rename, name="library-rename"),
    path("commands/ecs/<int:pk>/delete/", library.drop, name="library-drop"),
    path("commands/new/", saved.create, name="command-new"),
    path("commands/<int:pk>/", saved.detail, name="command"),
    path("commands/<int:pk>/edit/", saved.edit, name="command-edit"),
    path("commands/<int:pk>/compare/", saved.compare, name="command-compare"),
    path("commands/<int:pk>/archive/", saved.archive, name="command-archive"),
    path("commands/<int:pk>/favourite/", saved.favourite, name="command-favourite"),
    path("runs/", runs.listing, name="runs"),
    path("runs/<int:pk>/", runs.detail, name="run"),
    path("runs/<int:pk>/progress/", runs.progress, name="run-progress"),
    path("runs/<int:pk>/stop/", runs.stop, name="run-stop"),
    path("runs/<int:pk>/answers.<str:form>", runs.export, name="run-export"),
    path("runs/<int:run>/answers/<int:pk>/", answers.detail, name="answer"),
    path("runs/<int:run>/answers/<int:pk>/raw/", answers.raw, name="answer-raw"),
    path("agents/", agents.page, name="agents"),
    path("agents/install/", agents.install, name="agents-install"),
    path("approvals/", approvals.listing, name="approvals"),
    path("approvals/<int:pk>/", approvals.detail, name="approval"),
    path("approvals/<int:pk>/decide/", approvals.decide, name="approval-decide"),
    path("runs/new/", compose.compose, name="compose"),
    path("runs/new/reach/", compose.reach, name="reach"),
]
