from django.core.management.commands import makemessages


class Command(makemessages.Command):
    help = (
        "Django's own, which also finds the sentences of `say` (diagnostics) and `kept` (portal)."
    )

    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=say", "--keyword=kept"]
