"""How gunicorn serves the pages: `gunicorn -c python:portal.gunicorn`."""

from __future__ import annotations

import os

from portal.leash import die_with

wsgi_app = "portal.wsgi"
bind = os.environ.get("BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "1"))
threads = int(os.environ.get("WEB_THREADS", "8"))
graceful_timeout = 5
control_socket_disable = True
proc_name = "portal"


def post_fork(server, worker) -> None:
    die_with(server.pid)
