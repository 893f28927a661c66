"""Pipeline: let a team's own pipeline bring a function to its base, then prove that it did.

A run is started once for a function, a commit and a base, and its place is where it is known; nothing is kept here.
"""

from datetime import datetime, timedelta
from typing import Final

from bot.core.observation import KnownBase
from bot.core.outcome import Outcome, Result
from bot.core.pipeline import Pipeline, PipelineOrder
from bot.core.target import Target
from bot.ports.deployer import Function
from bot.ports.jobs import JobState
from bot.ports.world import World
from bot.steps.redeploy import Followed
from bot.steps.serving import prove_served

LOOK: Final = timedelta(minutes=1)
"""How often a run is looked at; a deployment takes minutes."""


def order_of(target: Target, commit: str, goal: KnownBase) -> PipelineOrder:
    """Say what a pipeline is to deploy."""
    base = goal.reference.with_digest(goal.reference.digest or goal.digest)
    return PipelineOrder(repository=target.repository, function=target.function, commit=commit, base=base)


def by_pipeline(
    target: Target,
    pipeline: Pipeline,
    order: PipelineOrder,
    function: Function,
    goal: KnownBase,
    world: World,
    now: datetime,
) -> Followed:
    """Start the pipeline, or say what became of its run; whether the function stands on its base is read last."""
    job = world.pipelines.find(pipeline, order)
    if job is None:
        started = f"{world.pipelines.start(pipeline, order)} is to deploy {order.commit[:12]} on {order.base}"
        return Followed(
            outcomes=(_outcome(function, Result.STARTED, started),), again=now + LOOK, why=started, elsewhere=True
        )
    match job.state:
        case JobState.RUNNING:
            why = f"{job.where} deploys {order.commit[:12]} on {order.base}"
            return Followed(again=now + LOOK, why=why, elsewhere=True)
        case JobState.FAILED:
            what = f"{job.where} failed; see its log, and run it again there: refrom starts none for the same commit"
            return Followed(outcomes=(_outcome(function, Result.FAILED, f"{what} and base"),))
        case JobState.SUCCEEDED:
            proven = prove_served(target, goal, world.functions, world.registry)
            if proven.result is Result.PROVEN:
                return Followed(outcomes=(proven,))
            what = f"{job.where} ended well, but {proven.message}, or let the pipeline build with --pull"
            return Followed(outcomes=(_outcome(function, Result.FAILED, what),))


def _outcome(function: Function, result: Result, message: str) -> Outcome:
    return Outcome(
        step="redeploy", subject=function.name, result=result, message=message, details={"arn": function.arn}
    )
