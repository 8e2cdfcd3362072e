"""Settings come from the environment only; `docs` and the README list them in a table."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()


def secret(name: str, default: str = "") -> str:
    """NAME, or the contents of the file that NAME_FILE names."""
    path = env.str(f"{name}_FILE", "")
    return Path(path).read_text().strip() if path else env.str(name, default)


def is_loopback(url: str) -> bool:
    """Whether `url` leads to this machine; a malformed one does not."""
    try:
        return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
    except ValueError:
        return False


def parts_of(url: str) -> SplitResult:
    """The parts of a URL; of a malformed one nothing (portal.checks stops the start)."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  read for its ValueError
    except ValueError:
        return urlsplit("")
    return parts


DEBUG = env.bool("DEBUG", False)
SECRET_KEY = secret("SECRET_KEY", "unset-development-key")
SECRETS_KEY = secret("SECRETS_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [])

ECS_ENDPOINT = env.str("ECS_ENDPOINT", "")
ACTIONTRAIL_ENDPOINT = env.str("ACTIONTRAIL_ENDPOINT", "")
ECS_REGIONS = env.list("ECS_REGIONS", [])
ECS_IS_LOCAL = is_loopback(ECS_ENDPOINT)
PORTAL_MODE = env.str("PORTAL_MODE", "full" if ECS_IS_LOCAL else "observe")
SYNC_SECONDS = env.int("SYNC_SECONDS", 60)
RETENTION_DAYS = env.str("RETENTION_DAYS", "").strip()  # "": everything is kept
# Above so many instances a run is only sent after its number was typed.
RUN_CONFIRM_ABOVE = env.int("RUN_CONFIRM_ABOVE", 50)
ENVIRONMENT_TAG = env.str("ENVIRONMENT_TAG", "environment")
PROTECTED_TAG = env.str("PROTECTED_TAG", "protected")  # KEY or KEY=VALUE
# Reboots: tags whose groups' shares are shown, above which size two people decide, and so on.
REBOOT_SHARE_TAGS = env.list("REBOOT_SHARE_TAGS", ["owner", "app", ENVIRONMENT_TAG])
REBOOT_TWO_ABOVE = env.int("REBOOT_TWO_ABOVE", 0)
REBOOT_EMERGENCIES_A_DAY = env.int("REBOOT_EMERGENCIES_A_DAY", 3)

# Where people reach the portal: the links in messages begin with it.
PORTAL_URL = env.str("PORTAL_URL", "http://127.0.0.1:8000" if ECS_IS_LOCAL else "").rstrip("/")
# The only hosts that messages are sent to (".example.com": also its subdomains). Empty: any but
# this machine and link-local addresses.
NOTIFY_HOSTS = env.list("NOTIFY_HOSTS", [])

INSTALLED_APPS = [
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "crispy_forms",
    "crispy_bootstrap5",
    "bootstrap",
    "axes",
    "csp",
    "django_htmx",
    "django_q",
    "portal",
    "portal.audit",
    "portal.notices",
    "instances",
    "commands",
    "diagnostics",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "portal.bodies.BodyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "portal.access.AccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

# What a person may send at once, files and all; a page that takes no files takes a part of it.
UPLOAD_MOST = env.int("UPLOAD_MOST_MB", 64) << 20
UPLOAD_UNPACKED_MOST = env.int("UPLOAD_UNPACKED_MOST_MB", 64) << 20  # of one hand-in, unpacked
UPLOAD_FILES_MOST = 20  # of one hand-in
CASE_EVIDENCE_MOST = env.int("CASE_EVIDENCE_MOST_MB", 256) << 20  # handed in to one case
PASTE_MOST = 4_000_000  # characters
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 << 20  # of everything but files; a paste in UTF-8 and its form
DATA_UPLOAD_MAX_NUMBER_FILES = UPLOAD_FILES_MOST + 1

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "portal.context.page",
            ],
        },
    }
]

STATE_DIR = env.path("STATE_DIR", BASE_DIR / ".portal")  # the supervisor's lock
DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = secret("REDIS_URL")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}
Q_CLUSTER = {
    "name": "portal",
    "cluster_name": "default",  # `manage.py cluster --queue analyze` runs the other one
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
    "workers": env.int("QUEUE_WORKERS", 2),
    "queue_limit": 4,
    "bulk": 2,
    "timeout": 120,
    "retry": 1800,  # bells are rung again long before: this must only be long enough
    "ack_failures": True,
    "max_attempts": 3,
    "save_limit": -1,
    "catch_up": False,
    "poll": 0.1,
    "guard_cycle": 0.5,
    "recycle": 500,
    "max_rss": 400_000,
    "scheduler": False,
    "ALT_CLUSTERS": {
        "analyze": {"workers": 1, "queue_limit": 2, "bulk": 1, "timeout": 900, "retry": 4600},
    },
}

# smtp://user:password@host:port, with smtp+tls:// (STARTTLS) or smtps://; empty: no e-mail.
EMAIL_URL = secret("EMAIL_URL")
_mail = parts_of(EMAIL_URL)
EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.scheme == "smtp+tls", _mail.scheme == "smtps"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str(
    "EMAIL_FROM", f"ecs-portal@{parts_of(PORTAL_URL).hostname or 'localhost'}"
)

LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en")
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # a checkout runs without collectstatic

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "portal.backends.PeopleBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Five wrong passwords of one name from one address wall that pair off for a quarter of an hour.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # logins stand in the audit
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

SESSION_COOKIE_AGE = 12 * 3600  # a working day; the next one begins with a login
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# Reached through https (a proxy in front of us): cookies and browsers are held to it.
HTTPS = not DEBUG and env.bool(
    "HTTPS", any(origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS)
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
X_FRAME_OPTIONS = "DENY"
MESSAGE_TAGS = {10: "unknown", 20: "going", 25: "good", 30: "attention", 40: "bad"}

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    # The queue library tells of every bell, axes of every login: their warnings are enough.
    # apprise's warnings and urllib3's debug lines hold the addresses of channels: what the first
    # has to say is caught where it is called.
    "loggers": {
        "django-q": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "apprise": {"level": "WARNING", "propagate": False, "handlers": []},
        "urllib3": {"level": "WARNING"},
    },
}
