"""What AWS answers when it does not do what was asked, in the words of the project.

Decided by error codes alone (Lambda API reference, "Errors", and "Common Error Types"); texts are only passed on.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from botocore import exceptions as aws

from bot.core.errors import DeployError

_LONGEST: Final = 400
_RENEW: Final = "renew them (aws sso login or a new role session) and check AWS_PROFILE and this machine's clock"
_GIVE: Final = "give them (AWS_PROFILE, aws sso login, or a role of this machine or container)"
_ASSUME: Final = "let refrom assume the role, in the role's trust policy and in the policy of its own identity"
_THROTTLES: Final = frozenset(
    {"TooManyRequestsException", "ThrottlingException", "ThrottledException", "Throttling", "RequestLimitExceeded"}
)
_CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_CONFLICTS: Final[Mapping[str, str]] = {
    "PreconditionFailedException": "the function changed meanwhile; run again",
    "ResourceConflictException": "another change of the function is going on; run again when it is done",
}
_ALLOW: Final = "allow it in the IAM policy of the role that refrom uses"
_CURES: Final[Mapping[str, str]] = {
    "AccessDenied": _ALLOW,
    "AccessDeniedException": _ALLOW,
    "ApplicationDoesNotExistException": "create the application, or correct deploy.codedeploy",
    "DeploymentGroupDoesNotExistException": "create the deployment group, or correct deploy.codedeploy",
    "DeploymentLimitExceededException": "wait until fewer deployments run; the next run tries again",
    "InvalidRoleException": "give the deployment group a service role that may update the alias",
    "CodeStorageExceededException": "delete versions that no alias uses",
    "CodeVerificationFailedException": "sign the code or change the function's code signing configuration",
    "InvalidCodeSignatureException": "sign the code or change the function's code signing configuration",
    "ImageNotFoundException": "the image is gone from ECR; push it again, and keep lifecycle rules off it",
    "PipelineNotFoundException": "create the pipeline, or correct the target's pipeline",
    "RepositoryNotFoundException": "the repository is gone from ECR; create it and push the image again",
    "ResourceNotFoundException": "check its name, version and Region, or take it from the settings",
}
_NO_CREDENTIALS: Final = (
    aws.CredentialRetrievalError,
    aws.NoAuthTokenError,
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.ProfileNotFound,
    aws.RefreshWithMFAUnsupportedError,
    aws.SSOError,
    aws.TokenRetrievalError,
)
_REASONS: Final[Mapping[str, str]] = {
    "DisabledKMSKey": "enable the function's KMS key",
    "FunctionError": "the container does not start; run the image locally with its entry point",
    "ImageAccessDenied": "let lambda.amazonaws.com call ecr:BatchGetImage and ecr:GetDownloadUrlForLayer in the "
    "repository policy",
    "ImageDeleted": "push the image to ECR again, and keep lifecycle rules off digests that functions use",
    "InsufficientRolePermissions": "check the function's execution role",
    "InternalError": "Lambda failed; update the function again",
    "InvalidImage": "build the image for Lambda: one platform, at most 10 GB unpacked, a valid entry point",
    "InvalidStateKMSKey": "enable the function's KMS key",
    "KMSKeyAccessDenied": "let the function's execution role use its KMS key",
    "KMSKeyNotFound": "give the function a KMS key that exists",
}


@contextmanager
def translated(subject: str, *, refusal: str, service: str = "Lambda") -> Iterator[None]:
    """Turn whatever botocore raises into a `DeployError` about the subject.

    `refusal` is the cure for a parameter that AWS does not take: only the caller knows what it sent.
    """
    try:
        yield
    except aws.ClientError as fault:
        if (fault.operation_name, fault.response["Error"].get("Code")) == ("AssumeRole", "AccessDenied"):
            text = _short(fault.response["Error"].get("Message", "")).rstrip(".")
            raise DeployError(f"{subject}: {text}; {_ASSUME}") from fault
        raise _answered(subject, fault.response, refusal, service) from fault
    except _NO_CREDENTIALS as fault:
        raise DeployError(f"{subject}: there are no AWS credentials ({_short(fault)}); {_GIVE}") from fault
    except (aws.HTTPClientError, aws.ConnectionError) as fault:
        raise DeployError(
            f"{subject}: AWS cannot be reached ({_short(fault)}); check the network, the proxy and the Region",
            retryable=True,
        ) from fault
    except aws.BotoCoreError as fault:
        raise DeployError(f"{subject}: AWS cannot be asked ({_short(fault)}); check the AWS settings") from fault


def explained(code: str, text: str) -> str:
    """Put a reason code of Lambda, its text and the cure into one line; empty where there is no reason.

    What follows a dot in a code (`FunctionError.InitTimeout`) is a detail; a code not known here is passed on.
    """
    reason = ": ".join(part for part in (_short(code), _short(text).rstrip(".")) if part)
    cure = _REASONS.get(code.partition(".")[0], "")
    return "; ".join(part for part in (reason, cure) if part)


def says_missing(fault: DeployError, code: str = "ResourceNotFoundException") -> bool:
    """Say whether AWS answered that what was asked for does not exist."""
    cause = fault.__cause__
    return isinstance(cause, aws.ClientError) and cause.response["Error"].get("Code") == code


def knows_no_such_call(fault: DeployError) -> bool:
    """Say whether the service of this Region does not know the call: it was not found, and no resource was meant."""
    cause = fault.__cause__
    if not isinstance(cause, aws.ClientError) or says_missing(fault):
        return False
    return cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404


def is_unreachable(fault: DeployError) -> bool:
    """Say whether nothing came back at all."""
    return isinstance(fault.__cause__, aws.HTTPClientError | aws.ConnectionError)


def _answered(subject: str, response: Mapping[str, Any], refusal: str, service: str) -> DeployError:
    error = response.get("Error", {})
    code, text = _short(error.get("Code", "")), _short(error.get("Message", "")).rstrip(".")
    if code in _THROTTLES:
        after = _short(response.get("retryAfterSeconds", "a few"))[:10]
        return DeployError(f"{subject}: {service} throttles this account; run again in {after} seconds", retryable=True)
    if code in _CREDENTIALS:
        return DeployError(f"{subject}: AWS does not take the credentials ({code}); {_RENEW}")
    if code in _CONFLICTS:
        return DeployError(f"{subject}: {_CONFLICTS[code]}", retryable=True)
    if code in ("InvalidParameterValueException", "ValidationException"):
        return DeployError(f"{subject}: {service} refuses it: {text}; {refusal}")
    if response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
        return DeployError(f"{subject}: {service} failed ({code}: {text}); run again", retryable=True)
    cure = _CURES.get(code, f"look the code up in the {service} API reference")
    return DeployError(f"{subject}: {text or code} ({code}); {cure}")


def _short(value: object) -> str:
    """Keep what came from outside on one line and within bounds."""
    return " ".join(str(value)[: 4 * _LONGEST].split())[:_LONGEST]
