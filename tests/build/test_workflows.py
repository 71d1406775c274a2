"""The workflows that nobody can run here: linted, pinned, with the least rights, and calling only what there is."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import build_frontend

ROOT = Path(__file__).resolve().parent.parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LINTER = ROOT / "frontend" / "node_modules" / "@tktco" / "node-actionlint" / "bin" / "node-actionlint.js"
# Runners that came after the linter. Everything else that it says counts.
NEWER_RUNNERS = {"macos-15-intel"}
WRITES = {"release.yml": {"draft": {"contents", "id-token", "attestations"}}}


def jobs(workflow: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(workflow).values():
        yield from job["steps"]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> Path:
    return request.param


def complaints(text: str) -> list[str]:
    found = [line for line in text.splitlines() if re.match(r"\S+\.yml:\d+:\d+ ", line)]
    return [line for line in found if not any(f'label "{label}" is unknown' in line for label in NEWER_RUNNERS)]


def lint(folder: Path) -> list[str]:
    node = build_frontend.node_folder()
    assert node is not None
    command = [node / "node", LINTER, ".github/workflows/*.yml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert "Checking" in done.stdout + done.stderr, done.stderr
    return complaints(done.stdout)


def test_workflows_are_there() -> None:
    assert [path.name for path in WORKFLOWS] == ["release.yml", "test.yml"]


def test_linter_has_nothing_to_say() -> None:
    assert lint(ROOT) == []


def test_linter_says_what_is_wrong(tmp_path: Path) -> None:
    broken = tmp_path / ".github" / "workflows" / "broken.yml"
    broken.parent.mkdir(parents=True)
    broken.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ nobody.x }}\n"
    )
    assert len(lint(tmp_path)) == 1


def test_every_action_is_pinned_by_its_commit_and_says_its_version(workflow: Path) -> None:
    used = re.findall(r"^\s*(?:- )?uses: (.+)$", workflow.read_text(encoding="utf-8"), re.MULTILINE)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_every_action_has_the_same_commit_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for workflow in WORKFLOWS:
        for name, commit in re.findall(r"uses: (\S+)@(.+)", workflow.read_text(encoding="utf-8")):
            pins.setdefault(name, set()).add(commit)
    assert {name: commits for name, commits in pins.items() if len(commits) > 1} == {}


def test_every_job_has_only_the_rights_that_it_needs(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text(encoding="utf-8"))["permissions"] == {}
    for name, job in jobs(workflow).items():
        rights = job["permissions"]
        writes = {right for right, level in rights.items() if level == "write"}
        assert writes == WRITES.get(workflow.name, {}).get(name, set()), name
        assert set(rights) - writes <= {"contents"}, name
        assert job["timeout-minutes"] <= 60, name


def test_no_checkout_leaves_its_token_behind(workflow: Path) -> None:
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}


def test_secrets_reach_a_step_by_its_environment_only(workflow: Path) -> None:
    for step in steps(workflow):
        rest = {key: value for key, value in step.items() if key != "env"}
        assert not re.search(r"secrets\.|github\.token", str(rest)), step
    for job in jobs(workflow).values():
        assert "secrets." not in str(job.get("env", {})), "every step of the job, and every action, would have it"


def test_no_text_of_others_is_put_into_a_command(workflow: Path) -> None:
    """`${{ }}` in a script is pasted before the shell reads it; a branch's name could be a command."""
    for step in steps(workflow):
        assert "${{" not in step.get("run", ""), step


def test_every_script_that_is_called_exists(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = 0
    for step in steps(workflow):
        command = step.get("run", "")
        for script in re.findall(r"(?:build|tests)/[\w/.-]+\.(?:py|sh)|tests/[\w/]+|requirements/\S+\.lock", command):
            assert (ROOT / script).exists(), script
            called += 1
        for target in re.findall(r"(?:^|&& )make ([a-z-]+)", command, re.MULTILINE):
            assert target in targets, target
            called += 1
    assert called > 3


def test_release_is_a_draft_with_digests_bills_and_an_attestation() -> None:
    draft = jobs(ROOT / ".github" / "workflows" / "release.yml")["draft"]
    commands = "\n".join(step.get("run", "") for step in draft["steps"])
    assert "gh release create" in commands
    assert "--draft" in commands
    assert "sha256sum" in commands
    assert "build/release/materials.py" in commands
    assert any(step.get("uses", "").startswith("actions/attest-build-provenance@") for step in draft["steps"])
