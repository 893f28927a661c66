"""The settings about when a newer base is taken: policy, update modes, rollouts, the SLO."""

from datetime import timedelta

from pydantic import Field, model_validator

from bot.core.modes import Mode
from bot.core.policy import OnUnknown, Style, UpdateOn
from bot.settings.fields import Day, Duration, NameGlob, RatedSeverity, RuntimeGlob, Share
from bot.settings.models.model import Model


class UpdateModeModel(Model):
    """An update mode, and what is said with it."""

    mode: Mode | None = Field(
        None,
        description="How a new base is taken. auto: when it is due; function-update: with the next change that "
        "somebody makes; manual: not at all.",
    )
    reason: str | None = Field(None, min_length=1, description="Why that mode; manual needs it.")
    until: Day | None = Field(None, description="The last day of that mode; manual needs it.")

    @model_validator(mode="after")
    def _says_what_is_meant(self) -> "UpdateModeModel":
        if self.mode is None and (self.reason or self.until):
            raise ValueError("says reason or until of no mode; write mode beside it, or take it out")
        if self.mode is Mode.MANUAL and not (self.reason and self.until):
            raise ValueError("says mode: manual, which is for a while; write reason and until beside it")
        return self


class PolicyModel(UpdateModeModel):
    """When a newer base is taken."""

    update_on: UpdateOn | None = Field(None, description="The least significance that is taken before max_age.")
    min_severity: RatedSeverity | None = Field(None, description="The least severity of an advisory that is security.")
    max_age: Duration | None = Field(None, description="How long a base in use may be behind, whatever changed.")
    soak: Duration | None = Field(None, description="How long a new base is left to others first.")
    style: Style | None = Field(
        None,
        description="digest: pin it in the file; dated: write the date-stamped tag; tag: rebuild on the moving tag.",
    )
    on_unknown: OnUnknown | None = Field(
        None, description="What to do where the base in use or its advisories are not known."
    )


class Match(Model):
    """Which uses are meant: all the globs that are given must match."""

    repository: str | None = Field(None, description="A glob of source repositories.")
    path: str | None = Field(None, description="A glob of paths.")
    runtime: RuntimeGlob | None = Field(None, description="A glob of runtime identifiers.")


class OverrideModel(PolicyModel):
    """Another policy for some uses; of several that match, later ones win."""

    match: Match = Field(description="Which uses are meant.")


class RootPolicy(PolicyModel):
    """The policy for all uses."""

    overrides: list[OverrideModel] = Field([], description="Other policies for some uses.")


class FreshnessModel(Model):
    """How long a function may lack what a newer base has, from when it could have had it."""

    security_critical: Duration | None = Field(None, description="A fix whose advisory is critical, or has no rating.")
    security_important: Duration | None = Field(None, description="A fix whose advisory is important, or worse.")
    any: Duration | None = Field(None, description="Whatever differs; max_age of the policy if left out.")


class SloModel(Model):
    """What the audit holds functions to."""

    freshness: FreshnessModel = Field(FreshnessModel(), description="How long what a newer base has may be lacking.")


class WaveModel(Model):
    """One wave of phase two: either a share of the repositories, or those that are named."""

    share: Share | None = Field(None, description="The share of all repositories that no wave names, such as 10%.")
    repositories: list[NameGlob] = Field([], description="Globs of the repositories.")

    @model_validator(mode="after")
    def _one_way(self) -> "WaveModel":
        if (self.share is None) != bool(self.repositories):
            raise ValueError("is no wave; give share or repositories, and one of them")
        return self


class RolloutModel(Model):
    """How a base reaches the repositories: first those that somebody works on, after a soak the others in waves."""

    active: Duration = Field(
        timedelta(days=14), description="Phase one: who changed something so shortly before, or since."
    )
    soak: Duration = Field(timedelta(days=3), description="How long phase one is watched before phase two begins.")
    soak_by_severity: dict[RatedSeverity, Duration] = Field(
        {}, description="A shorter soak for a base that fixes at least this; such a one does not wait in line either."
    )
    waves: list[WaveModel] = Field(
        [], max_length=100, description="The waves of phase two, in order; whoever is in none of them comes last."
    )
    every: Duration = Field(timedelta(days=1), description="From one wave to the next.")
    tolerated: int = Field(0, strict=True, ge=0, description="How many builds and checks may fail before it halts.")

    @model_validator(mode="after")
    def _shares_of_a_whole(self) -> "RolloutModel":
        whole = round(100 * sum(wave.share or 0 for wave in self.waves))
        if whole > 100:
            raise ValueError(f"has waves of {whole}% together; make them 100% at most")
        longer = next((str(severity) for severity, soak in self.soak_by_severity.items() if soak > self.soak), None)
        if longer:
            raise ValueError(f"soaks longer for {longer} than for anything else; write at most what soak says")
        return self


class NarrowedPolicy(UpdateModeModel):
    """Parts of the policy; each counts only where it is stricter than what the settings of refrom say."""

    update_on: UpdateOn | None = Field(None, description="security takes the least, any the most.")
    min_severity: RatedSeverity | None = Field(None, description="The least severity of an advisory that is security.")
    soak: Duration | None = Field(None, description="How long a new base is left to others first.")
