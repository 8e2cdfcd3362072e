"""One exchange with ECS through the SDK: the only module that knows it, and its traps.

Used by `ecs` alone, which decides what may be asked, how often and how fast.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from instances import ecs_errors, ecs_mode
from instances.ecs_errors import EcsError, NotSigned
from instances.ecs_values import Account

log = logging.getLogger(__name__)

YES_TO_A_DRY_RUN = "DryRunOperation"  # ECS says it as an error


@dataclass(frozen=True, slots=True)
class Product:
    """One product of the cloud: its part of the SDK, and where it answers; empty: its own place."""

    name: str  # the beginning of its actions in a RAM policy
    models: Any
    client: Any
    endpoint: str = ""


_last = threading.local()  # status: of the HTTP answer that this thread saw last
_credentials: dict[Account, Any] = {}
_loaded: SimpleNamespace | None = None


def parts() -> SimpleNamespace:
    """The SDK's parts, loaded at first use: that costs 0.3 s and 60 MB."""
    global _loaded
    if _loaded is None:
        if ecs_mode.is_local():  # nobody shall look for a metadata service that is not there
            os.environ.setdefault("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
        _loaded = _load()
    return _loaded


def _load() -> SimpleNamespace:
    import darabonba.core
    from alibabacloud_credentials import client as credentials
    from alibabacloud_credentials import provider
    from alibabacloud_ecs20140526 import models
    from alibabacloud_ecs20140526.client import Client
    from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
    from alibabacloud_tea_openapi.utils_models import Config
    from darabonba.runtime import RuntimeOptions
    from Tea.exceptions import TeaException

    darabonba.core.Session = _session_class()
    _hush()
    return SimpleNamespace(
        core=darabonba.core.DaraCore,
        credentials=credentials,
        provider=provider,
        models=models,
        client=Client,
        said_no=AlibabaCloudException,
        failed=TeaException,
        config=Config,
        options=RuntimeOptions,
    )


def _session_class() -> type:
    from requests import Session
    from requests.utils import should_bypass_proxies

    class OurSession(Session):
        """Obeys NO_PROXY, follows no redirect, and remembers the status of a useless answer."""

        def send(self, request: Any, **options: Any) -> Any:
            host = urlsplit(request.url).hostname
            if host in ecs_mode.LOOPBACK or should_bypass_proxies(request.url, no_proxy=None):
                options["proxies"] = {}
            options["allow_redirects"] = False
            response = super().send(request, **options)
            _last.status = response.status_code
            return response

    return OurSession


def _hush() -> None:
    # With DEBUG=sdk these would print the Authorization header and the security token,
    for name in ("darabonba-core", "alibabacloud-tea"):
        logging.getLogger(name).disabled = True
    # and this one the address of every call, which holds the script.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


def forget() -> None:
    """Drop every connection and cached credential of this process."""
    global _last
    _last = threading.local()
    _credentials.clear()
    if _loaded is not None:
        _loaded.core._sessions.clear()


def _credential(account: Account) -> Any:
    """The SDK's own credential client for this account; kept, because it renews what expires."""
    if account not in _credentials:
        try:
            _credentials[account] = parts().credentials.Client(provider=_source(account))
        except ValueError as error:  # an empty or wrong setting of the account
            raise NotSigned(f"account {account.name}: {error}") from None
    return _credentials[account]


def _source(account: Account) -> Any:
    provider = parts().provider
    if account.profile:
        source: Any = provider.ProfileCredentialsProvider(profile_name=account.profile)
    else:
        source = provider.DefaultCredentialsProvider()
    if account.kind != "role":
        return source
    return provider.RamRoleArnCredentialsProvider(
        credentials_provider=source,
        role_arn=account.role_arn,
        role_session_name="ecs-portal",
    )


def key_id(account: Account) -> str:
    """The id of the key that this account signs with now; never its secret."""
    try:
        return str(_credential(account).get_credential().access_key_id or "")
    except parts().failed as error:
        raise ecs_errors.not_answered(error, None) from None


def ecs() -> Product:
    return Product("ecs", parts().models, parts().client, ecs_mode.setup().endpoint)


def client(account: Account, region: str, product: Product | None = None) -> Any:
    setup, product = ecs_mode.setup(), product or ecs()
    where = urlsplit(product.endpoint)
    return product.client(
        parts().config(
            credential=_credential(account),
            region_id=region,
            endpoint=where.netloc or None,
            protocol=where.scheme or "https",
            connect_timeout=int(setup.connect_seconds * 1000),
            read_timeout=int(setup.read_seconds * 1000),
            user_agent="ecs-portal",
        )
    )


def once(
    account: Account,
    region: str,
    operation: str,
    asked: dict[str, Any],
    of: Callable[[], Product] = ecs,
) -> Any:
    """One HTTP exchange: the body, or its failure in our words; one line in the log."""
    sdk, started = parts(), time.monotonic()
    product = of()
    request = _request(product, operation, asked)
    snake = re.sub(r"(?<!^)([A-Z])", r"_\1", operation).lower()
    _last.status = None
    try:
        call = getattr(client(account, region, product), f"{snake}_with_options")
        body = call(request, sdk.options()).body
        if not (request_id := ecs_errors.request_id_of(getattr(body, "request_id", None))):
            raise ecs_errors.strange()
    except sdk.said_no as error:
        failure = ecs_errors.answered_no(operation, error, product.name)
    except sdk.failed as error:
        failure = ecs_errors.not_answered(error, _last.status)
    except EcsError as error:
        failure = error
    else:
        took = time.monotonic() - started
        log.info("%s %s %s: %s in %.2f s", operation, account.name, region, request_id, took)
        return body
    failure.operation = operation
    level = logging.INFO if failure.code == YES_TO_A_DRY_RUN else logging.WARNING
    log.log(level, "%s %s: %r %s", account.name, region, str(failure), failure.request_id)
    # Without the SDK's exception behind it: that one holds the signed request.
    raise failure from None


def _request(product: Product, operation: str, asked: dict[str, Any]) -> Any:
    """The SDK's request for these parameters, which have ECS's own names."""
    request = getattr(product.models, f"{operation}Request")().from_map(asked)
    if unknown := asked.keys() - request.to_map().keys():  # it drops them without a word
        raise TypeError(f"{operation} has no {', '.join(sorted(unknown))}")
    return request
