from django.core.management.commands import makemessages


class Command(makemessages.Command):
    help = "Django's own, which also finds the sentences of `source.say(…)` (see diagnostics)."

    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=say"]
