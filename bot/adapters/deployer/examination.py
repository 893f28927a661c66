"""Who AWS takes us for (STS, GetCallerIdentity, which needs no permission), and what its clock says."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from boto3.session import Session

from bot.adapters.deployer.aws_errors import translated
from bot.adapters.deployer.lambda_functions import CONFIG
from bot.adapters.transport.skew import check_clock
from bot.core.errors import RefromError
from bot.ports.clock import Clock
from bot.ports.examination import ACCESS, Check, failed, passed


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsExamination:
    """Asks with the credentials of the process, or those of another `account` that `session` has."""

    region: str
    clock: Clock
    endpoint_url: str | None = None
    account: str = ""
    session: Callable[[], Session] = Session

    @property
    def subject(self) -> str:
        """AWS, in the Region of the settings, and the account where it is not that of the process."""
        return f"AWS {self.region}{f' account {self.account}' if self.account else ''}"

    def examine(self) -> Iterator[Check]:
        """Ask who we are."""
        try:
            answer = self._ask()
        except RefromError as fault:
            yield failed(self.subject, ACCESS, fault)
            return
        yield passed(self.subject, ACCESS, f"knows us as {answer['Arn']}")
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        yield check_clock(self.subject, date, self.clock.now())

    def _ask(self) -> Mapping[str, Any]:
        with translated(self.subject, refusal="check deploy.deployer in the settings"):
            client = self.session().client(
                "sts", region_name=self.region, endpoint_url=self.endpoint_url, config=CONFIG
            )
            try:
                answer: Mapping[str, Any] = client.get_caller_identity()
            finally:
                client.close()
            return answer
