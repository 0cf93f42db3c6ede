"""The errors of KMS: one class per error code.

The class name is the error code that clients receive. The exceptions of KMS's model come first,
the common errors of all AWS services last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from kmsmock.misuse.suggestions import did_you_mean

if TYPE_CHECKING:
    from typing_extensions import Self


class ServiceError(Exception):
    """An error response.

    message: AWS's text, to the letter; None for the codes that AWS returns without a text.
    explanation: our own sentences, which are attached to the exception and never part of the
    message.
    """

    status: int = 400
    text_member: ClassVar[str] = "message"
    #: Whether every operation can have it, so that the model does not list it for each of them.
    is_common: ClassVar[bool] = False

    #: Whether clients retry it as usual; None: only those with configured retries do.
    is_retried: bool | None = True
    #: Whether a fault of the test has caused it, and not the request.
    is_injected: bool = False

    def __init__(self, message: str | None = None, *, explanation: str | None = None) -> None:
        super().__init__(message, explanation)
        self.message = message
        self.explanation = explanation

    def __str__(self) -> str:
        return f"{self.code}: {self.message or ''}"

    @classmethod
    def in_own_words(cls, message: str, *, explanation: str | None = None) -> Self:
        """Make an error whose text by AWS is not known: message is in words of kmsmock.

        A note says so; `docs/own-texts.md` lists them.
        """
        remark = "AWS's text of this error is not known; this one is kmsmock's."
        return cls(message, explanation=f"{explanation} {remark}" if explanation else remark)

    @property
    def code(self) -> str:
        """The error code that clients receive."""
        return type(self).__name__

    def body(self) -> dict[str, str]:
        """Return the JSON body of the response: ``__type`` and, where AWS sends one, a text."""
        body = {"__type": self.code}
        if self.message is not None:
            body[self.text_member] = self.message
        return body


class AlreadyExistsException(ServiceError):
    """A resource with that name, or in that Region, exists already."""


class CloudHsmClusterInUseException(ServiceError):
    """The cluster, or one that shares its backups, belongs to another custom key store."""


class CloudHsmClusterInvalidConfigurationException(ServiceError):
    """The cluster does not meet the requirements of a custom key store."""


class CloudHsmClusterNotActiveException(ServiceError):
    """The cluster is not active."""


class CloudHsmClusterNotFoundException(ServiceError):
    """There is no cluster with that id."""


class CloudHsmClusterNotRelatedException(ServiceError):
    """The new cluster does not share a backup history with the old one."""


class ConflictException(ServiceError):
    """A rotation is in progress or about to start."""


class CustomKeyStoreHasCMKsException(ServiceError):
    """The custom key store still holds KMS keys."""


class CustomKeyStoreInvalidStateException(ServiceError):
    """The connection state of the custom key store does not permit the operation."""


class CustomKeyStoreNameInUseException(ServiceError):
    """Another custom key store of the account and Region has that name."""


class CustomKeyStoreNotFoundException(ServiceError):
    """There is no such custom key store in this account and Region."""


class DisabledException(ServiceError):
    """The KMS key is disabled."""


class DryRunOperationException(ServiceError):
    """The request would have succeeded, but was a dry run."""


class ExpiredImportTokenException(ServiceError):
    """The import token is older than 24 hours."""


class IncorrectKeyException(ServiceError):
    """The specified KMS key is not the one that encrypted the ciphertext."""


class IncorrectKeyMaterialException(ServiceError):
    """The imported key material is not the expected one."""


class IncorrectTrustAnchorException(ServiceError):
    """The trust anchor certificate is not the cluster's."""


class InvalidAliasNameException(ServiceError):
    """The alias name is not valid; the mock itself answers ValidationException, as KMS does."""


class InvalidArnException(ServiceError):
    """The ARN, or the form of the identifier, is not valid here."""


class InvalidCiphertextException(ServiceError):
    """The ciphertext or the wrapped key material cannot be decrypted."""


class InvalidGrantIdException(ServiceError):
    """The grant id is malformed."""


class InvalidGrantTokenException(ServiceError):
    """The grant token is not valid."""


class InvalidImportTokenException(ServiceError):
    """The import token was not issued for this KMS key."""


class InvalidKeyUsageException(ServiceError):
    """The KMS key cannot be used for this operation or algorithm."""


class InvalidMarkerException(ServiceError):
    """The pagination marker was not issued by this operation."""


class KMSInvalidMacException(ServiceError):
    """The MAC does not verify."""


class KMSInvalidSignatureException(ServiceError):
    """The signature does not verify."""


class KMSInvalidStateException(ServiceError):
    """The key state does not permit the operation."""


class LimitExceededException(ServiceError):
    """A resource quota is exhausted."""


class MalformedPolicyDocumentException(ServiceError):
    """The key policy is not a valid policy document."""


class NotFoundException(ServiceError):
    """The specified resource does not exist."""


class TagException(ServiceError):
    """The tags are not valid."""


class UnsupportedOperationException(ServiceError):
    """The KMS key, or this Region, does not support the operation."""


class XksKeyAlreadyInUseException(ServiceError):
    """The external key is associated with another KMS key of the store."""


class XksKeyInvalidConfigurationException(ServiceError):
    """The external key does not meet the requirements."""


class XksKeyNotFoundException(ServiceError):
    """The external key does not exist."""


class XksProxyIncorrectAuthenticationCredentialException(ServiceError):
    """The proxy refused the authentication credential."""


class XksProxyInvalidConfigurationException(ServiceError):
    """The proxy is not configured as an external key store needs it."""


class XksProxyInvalidResponseException(ServiceError):
    """The response of the proxy could not be interpreted."""


class XksProxyUriEndpointInUseException(ServiceError):
    """The endpoint belongs to another external key store."""


class XksProxyUriInUseException(ServiceError):
    """The endpoint and path belong to another external key store."""


class XksProxyUriUnreachableException(ServiceError):
    """The proxy could not be reached."""


class XksProxyVpcEndpointServiceInUseException(ServiceError):
    """The VPC endpoint service belongs to another external key store."""


class XksProxyVpcEndpointServiceInvalidConfigurationException(ServiceError):
    """The VPC endpoint service does not meet the requirements."""


class XksProxyVpcEndpointServiceNotFoundException(ServiceError):
    """The VPC endpoint service was not found."""


class DependencyTimeoutException(ServiceError):
    """A system that KMS depends on did not answer in time."""

    status = 500


class KMSInternalException(ServiceError):
    """An internal error of the service."""

    status = 500


class KeyUnavailableException(ServiceError):
    """The KMS key is temporarily unavailable."""

    status = 500


class OptInRequired(ServiceError):
    """The access key needs a subscription for the service."""

    status = 403
    is_common = True


class InternalFailure(ServiceError):
    """The request failed for an unknown reason."""

    status = 500
    is_common = True


class ServiceUnavailableException(ServiceError):
    """A temporary failure of the server."""

    status = 503
    is_common = True


class ExpiredTokenException(ServiceError):
    """The temporary credentials have expired."""

    is_common = True


class UnrecognizedClientException(ServiceError):
    """The access key is unknown, or no longer valid."""

    is_common = True


class ThrottlingException(ServiceError):
    """Too many requests in too short a time."""

    is_common = True
    #: AWS's text, whichever request quota is exceeded.
    #: Source: AWS KMS Developer Guide, "Throttling AWS KMS requests".
    TEXT: ClassVar[str] = (
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
    )

    @classmethod
    def of_request(cls, *, explanation: str) -> Self:
        """Return the error of a request, with AWS's text."""
        return cls(cls.TEXT, explanation=explanation)


class AccessDeniedException(ServiceError):
    """The caller is not authorized; here AWS names the text member ``Message``."""

    text_member = "Message"
    is_common = True


class NotAuthorizedException(ServiceError):
    """Names under ``alias/aws/`` are reserved for AWS."""

    is_common = True


class SerializationException(ServiceError):
    """The body of the request is not JSON of the right types."""

    is_common = True


class UnknownOperationException(ServiceError):
    """The request names no operation of the service."""

    is_common = True


class ValidationException(ServiceError):
    """A parameter breaks a rule of the service model or of the operation."""

    is_common = True


def error_class(code: str) -> type[ServiceError]:
    """Find the class of an error code; raises ValueError, with a suggestion, if KMS has none."""
    codes = {k.__name__: k for k in ServiceError.__subclasses__() if k.__module__ == __name__}
    if code not in codes:
        raise ValueError(f"KMS has no error code {code!r}{did_you_mean(code, codes)}")
    return codes[code]
