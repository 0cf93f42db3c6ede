"""The errors of the service: one class per error code.

The class name is the code that clients see. Modelled KMS exceptions come first, the
common errors of AWS's front door last.
"""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """An error that is answered to the client.

    message: AWS's text, to the letter; None for the codes that AWS answers without text.
    explanation: our own sentence for humans, which travels beside the error and never in it.
    """

    status: int = 400
    text_member: ClassVar[str] = "message"

    def __init__(self, message: str | None = None, *, explanation: str | None = None) -> None:
        super().__init__(message, explanation)
        self.message = message
        self.explanation = explanation

    def __str__(self) -> str:
        return f"{self.code}: {self.message or ''}"

    @property
    def code(self) -> str:
        """The error code as clients see it."""
        return type(self).__name__

    def body(self) -> dict[str, str]:
        """Give the JSON body of the answer: ``__type`` and, where AWS sends one, a text."""
        body = {"__type": self.code}
        if self.message is not None:
            body[self.text_member] = self.message
        return body


class AlreadyExistsException(ServiceError):
    """A resource with that name or place exists already."""


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
    """A rotation is under way or about to start."""


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
    """The named KMS key is not the one that made the ciphertext."""


class IncorrectKeyMaterialException(ServiceError):
    """The imported key material is not the expected one."""


class IncorrectTrustAnchorException(ServiceError):
    """The trust anchor certificate is not the cluster's."""


class InvalidArnException(ServiceError):
    """The ARN, or the form of the identifier, is not valid here."""


class InvalidCiphertextException(ServiceError):
    """The ciphertext or wrapped material cannot be opened."""


class InvalidGrantIdException(ServiceError):
    """The grant id is malformed."""


class InvalidGrantTokenException(ServiceError):
    """The grant token is not valid."""


class InvalidImportTokenException(ServiceError):
    """The import token is not one that was issued for this KMS key."""


class InvalidKeyUsageException(ServiceError):
    """The KMS key cannot be used for this operation or algorithm."""


class InvalidMarkerException(ServiceError):
    """The pagination marker is not one that this operation issued."""


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
    """The named resource does not exist."""


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
    """The answer of the proxy could not be understood."""


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
    """The KMS key is not available for the moment."""

    status = 500


class OptInRequired(ServiceError):
    """The access key needs a subscription for the service."""

    status = 403


class ExpiredTokenException(ServiceError):
    """The temporary credentials are over."""


class UnrecognizedClientException(ServiceError):
    """The access key is nobody's."""


class ThrottlingException(ServiceError):
    """Too many requests in too short a time."""


class AccessDeniedException(ServiceError):
    """The caller may not do this; AWS spells the text member with a capital here."""

    text_member = "Message"


class NotAuthorizedException(ServiceError):
    """Names under ``alias/aws/`` are reserved for AWS."""


class SerializationException(ServiceError):
    """The body of the request is not JSON of the right types."""


class UnknownOperationException(ServiceError):
    """The request names no operation of the service."""


class ValidationException(ServiceError):
    """A parameter breaks a rule of the service model or of the operation."""


def of_code(code: str) -> type[ServiceError]:
    """Give the error of a code; raises ValueError, with the nearest one, when KMS has none."""
    codes = {k.__name__: k for k in ServiceError.__subclasses__() if k.__module__ == __name__}
    if code not in codes:
        from difflib import get_close_matches

        nearest = get_close_matches(str(code), codes, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise ValueError(f"KMS has no error code {code!r}{hint}")
    return codes[code]
