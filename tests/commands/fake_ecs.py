"""Cloud Assistant in a few lines, for tests of what we do when it says this or that."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from instances import ecs


@dataclass
class FakeECS:
    """Runs start at once and end when told. Counts every call and every start of a script."""

    unfit: set[str] = field(default_factory=set)  # instances that sink a call
    names_the_unfit: bool = True
    errors: dict[str, list[Exception]] = field(default_factory=dict)  # operation -> next failures
    calls: Counter = field(default_factory=Counter)
    started: Counter = field(default_factory=Counter)  # instance -> scripts
    asked: list[dict] = field(default_factory=list)  # what each new run was asked with
    tokens: dict[str, str] = field(default_factory=dict)
    runs: dict[str, dict[str, ecs.Result]] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    timed: set[str] = field(default_factory=set)  # runs that ECS lists only when asked for these

    def put(self, monkeypatch) -> FakeECS:
        for name in ("run_script", "run_saved", "results", "invocations", "timed_runs", "stop"):
            monkeypatch.setattr(ecs, name, getattr(self, name))
        return self

    def end(self, *ids: str, status: str = "Success", output: bytes = b"done\n", **more) -> None:
        """These machines, or all, end so."""
        for rows in self.runs.values():
            for name, row in rows.items():
                if (not ids or name in ids) and row.status in ("Running", "Stopping"):
                    code = 0 if status == "Success" else 1 if status == "Failed" else None
                    rows[name] = ecs.Result(name, status, code, output, **more)

    def run_script(self, account, region, ids, script, *, token, **how) -> ecs.Answer:
        return self._start("RunCommand", ids, token, {"script": script, **how})

    def run_saved(self, account, region, ids, command_id, *, token, **how) -> ecs.Answer:
        return self._start("InvokeCommand", ids, token, {"command_id": command_id, **how})

    def results(self, account, region, invoke_id) -> ecs.Answer:
        self._call("DescribeInvocationResults")
        return ecs.Answer(list(self.runs.get(invoke_id, {}).values()))

    def invocations(self, account, region, *, wanted=None, most_pages) -> ecs.Answer:
        self._call("DescribeInvocations")
        found = {
            key: ecs.InvocationInfo(key, "Running", {n: r.status for n, r in rows.items()})
            for key, rows in self.runs.items()
            if key not in self.timed
        }
        return ecs.Answer(found)

    def timed_runs(self, account, region, *, wanted=None, most_pages, invoke_id=None) -> ecs.Answer:
        self._call("DescribeInvocations")
        found = {
            key: ecs.TimedRunInfo(key, "Scheduled", {n: r.status for n, r in rows.items()})
            for key, rows in self.runs.items()
            if key in self.timed
        }
        return ecs.Answer(found)

    def stop(self, account, region, invoke_id, ids=None) -> ecs.Answer:
        self._call("StopInvocation")
        self.stopped.append(invoke_id)
        for name, row in self.runs[invoke_id].items():
            if row.status == "Running":
                self.runs[invoke_id][name] = ecs.Result(name, "Stopping")
        return ecs.Answer(None)

    def _call(self, operation: str) -> None:
        self.calls[operation] += 1
        if failures := self.errors.get(operation):
            raise failures.pop(0)

    def _start(self, operation: str, ids: list[str], token: str, how: dict) -> ecs.Answer:
        self._call(operation)
        if bad := sorted(self.unfit & set(ids)):
            said = f"The instance {bad[0]} is unfit." if self.names_the_unfit else "Reselect."
            raise ecs.Refused(said, code="InvalidInstance.NotMatch", request_id="NO")
        if token not in self.tokens:
            self.tokens[token] = f"t-{len(self.runs)}"
            self.runs[self.tokens[token]] = {name: ecs.Result(name, "Running") for name in ids}
            self.started.update(ids)
            if how.get("repeat_mode") not in (None, "", "DryRun"):
                self.timed.add(self.tokens[token])
            self.asked.append(how | {"ids": list(ids)})
        return ecs.Answer(ecs.Run(self.tokens[token]), ("YES",))
