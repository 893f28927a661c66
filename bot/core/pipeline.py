"""Pipelines: a team's own way to build and deploy a function, which refrom starts and then checks."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.digest import Digest
from bot.core.reference import Reference


@dataclass(frozen=True, slots=True)
class WorkflowPipeline:
    """A workflow of GitHub Actions in the function's source repository, by the name of its file."""

    workflow: str

    def __str__(self) -> str:
        return f"workflow {self.workflow}"


@dataclass(frozen=True, slots=True)
class CodePipeline:
    """A pipeline of AWS CodePipeline in a Region."""

    name: str
    region: str

    def __str__(self) -> str:
        return f"CodePipeline {self.name} in {self.region}"


Pipeline = WorkflowPipeline | CodePipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineOrder:
    """What a pipeline is started for: one commit, on one base, for one function; `base` has a digest."""

    repository: str
    function: str
    commit: str
    base: Reference

    @property
    def name(self) -> str:
        """By which its run is found again; the same function, commit and base have the same one."""
        base = self.base.digest.short if self.base.digest else ""
        return f"refrom {self.function} {self.commit[:12]} {base}"

    @property
    def token(self) -> str:
        """By which a service knows that it is asked for the same run again."""
        return Digest.of(f"{self.repository} {self.function} {self.commit} {self.base}".encode()).hex

    @property
    def facts(self) -> Mapping[str, str]:
        """What the pipeline is told, as inputs of a workflow or as variables."""
        return {"refrom": self.name, "function": self.function, "commit": self.commit, "base": str(self.base)}
