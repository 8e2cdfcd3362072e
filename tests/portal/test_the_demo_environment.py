"""A second shell that reads demo.env stands in the same world as `make run`."""

from portal.management.commands import supervise


def test_the_file_names_all_that_makes_the_world(settings, tmp_path, monkeypatch):
    settings.STATE_DIR, settings.PORTAL_MODE = tmp_path, "diagnose"
    settings.ECS_ENDPOINT = "http://127.0.0.1:8181"
    told = {"SECRET_KEY": "a key", "SECRETS_KEY": "it's another", "ECS_REGIONS": "cn-hangzhou"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    supervise._write_environment()

    path = tmp_path / "demo.env"
    lines = path.read_text().splitlines()
    assert "SECRET_KEY='a key'" in lines
    assert """SECRETS_KEY='it'"'"'s another'""" in lines
    assert "ECS_REGIONS=cn-hangzhou" in lines
    assert "PORTAL_MODE=diagnose" in lines
    assert path.stat().st_mode & 0o077 == 0
