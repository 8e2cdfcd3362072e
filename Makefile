# make setup | run | test | lint        (PYTHON=python3.12 chooses another interpreter)
PYTHON ?= python3
PORT ?= 8000
ECS_ENDPOINT ?= http://127.0.0.1:8181
SECRET_KEY_FILE ?= $(CURDIR)/.portal/secret_key
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# One more than there are cores, and three more in the long form, where many tests wait.
WORKERS ?= $(shell expr $$(nproc) + $(if $(PORTAL_TEST_LONG),3,1))

.PHONY: setup run test lint

setup: .venv/installed

.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	touch $@

.portal/secret_key:
	mkdir -p -m 700 .portal
	umask 077 && $(PYTHON) -c "import secrets; print(secrets.token_urlsafe(64))" > $@

run: export ECS_ENDPOINT := $(ECS_ENDPOINT)
run: export PORTAL_URL ?= http://127.0.0.1:$(PORT)
run: export SECRET_KEY_FILE := $(SECRET_KEY_FILE)
run: setup .portal/secret_key
	$(MANAGE) migrate -v 0
	$(MANAGE) collectstatic -v 0 --noinput
	if command -v msgfmt > /dev/null && [ -d locale ]; then $(MANAGE) compilemessages -v 0; fi
	exec $(MANAGE) supervise --bind 127.0.0.1:$(PORT)

# On SQLite and without services; DATABASE_URL and REDIS_URL choose others. pytest's last lines
# say what was left out and why.
test: .venv/installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder $(TESTS)

lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/djlint --lint --quiet templates
	for po in locale/*/LC_MESSAGES/django.po; do msgfmt --check --output-file=/dev/null $$po || exit 1; done
	$(MANAGE) makemigrations --check --dry-run
