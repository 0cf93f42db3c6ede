"""Importing key material. Source: AWS KMS Developer Guide, "Importing key material"."""

from __future__ import annotations

from datetime import timedelta

from kmsmock.aws import errors
from kmsmock.aws.operations import CHANGED_KEY_ARN, per_second, read_event, write_event
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto import rsa
from kmsmock.crypto.errors import DecryptionFailed
from kmsmock.keys import material_import
from kmsmock.keys.key import Key
from kmsmock.keys.material_import import ImportParameters, ImportRequest
from kmsmock.keys.specs import Origin
from kmsmock.keys.states import ANY_STATE, IMPORTABLE, KeyState
from kmsmock.operations.key_lookup import by_id_or_arn
from kmsmock.operations.registry import Call, Response, Target, operation
from kmsmock.state.scheduled_work import expire_when_due
from kmsmock.timing.dates import add

_TOKEN_HOURS = 24
_LONGEST_VALIDITY = timedelta(days=365)
_EXPIRES, _NEVER = "KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"
_SETTLED = ANY_STATE - {KeyState.CREATING, KeyState.UPDATING}


def _require_external(call: Call, key: Key) -> None:
    key.require_origin(Origin.EXTERNAL)


@operation(
    "GetParametersForImport",
    Target("kms:GetParametersForImport", by_id_or_arn("KeyId"), IMPORTABLE),
    precheck=_require_external,
    trail=read_event("KeyId", "WrappingAlgorithm", "WrappingKeySpec"),
    quota=per_second(1),
    answers_anew=True,
)
def get_parameters_for_import(call: Call, key: Key) -> Response:
    """Return a public key to wrap key material with, and the import token that belongs to it."""
    algorithm = call.parameters["WrappingAlgorithm"]
    wrapping_spec = call.parameters["WrappingKeySpec"]
    if (algorithm, wrapping_spec) not in material_import.WRAPPINGS[key.spec.name]:
        supported = sorted(material_import.WRAPPINGS[key.spec.name])
        raise errors.ValidationException(
            f"Wrapping algorithm {algorithm} and wrapping key spec {wrapping_spec} cannot be used "
            f"to import a {key.spec.name} key.",
            explanation=f"Supported: {', '.join(f'{a} with {s}' for a, s in supported)}.",
        )
    wrapping_key = call.backend.source.rsa_pool.take(int(wrapping_spec.removeprefix("RSA_")))
    token = call.backend.entropy(256)
    valid_to = add(call.now, timedelta(hours=_TOKEN_HOURS))
    issued = ImportParameters(key, algorithm, wrapping_key, valid_to)
    call.region.add_import_token(token, issued)
    return {
        "KeyId": key.arn,
        "ImportToken": token,
        "PublicKey": wrapping_key.public_der(),
        "ParametersValidTo": valid_to,
    }


@operation(
    "ImportKeyMaterial",
    Target("kms:ImportKeyMaterial", by_id_or_arn("KeyId"), IMPORTABLE | {KeyState.UPDATING}),
    precheck=_require_external,
    trail=write_event(
        *("KeyId", "ValidTo", "ExpirationModel", "ImportType", "KeyMaterialDescription"),
        "KeyMaterialId",
        shows=(CHANGED_KEY_ARN, "KeyMaterialId"),
    ),
    quota=per_second(15),
)
def import_key_material(call: Call, key: Key) -> Response:
    """Unwrap key material and import it into the key."""
    parameters = call.parameters
    request = _read_import_request(call, key)
    issued = call.region.import_tokens.get(parameters["ImportToken"])
    if issued is None or issued.key is not key:
        raise errors.InvalidImportTokenException(
            explanation="The token was not issued by GetParametersForImport for this key."
            if issued is None
            else f"The token was issued for {issued.key.arn}: each key needs its own."
        )
    if call.now >= issued.valid_to:
        raise errors.ExpiredImportTokenException(
            explanation=f"It was valid until {issued.valid_to:%Y-%m-%d %H:%M:%S} UTC "
            f"({_TOKEN_HOURS} hours): call GetParametersForImport again."
        )
    secret, key_pair = material_import.parse_material(key.spec, _unwrap(issued, parameters))
    material = material_import.import_material(key, secret, key_pair, request)
    if key.spec.is_symmetric_encryption:
        # Replicas share the material, so ciphertexts must be found in their Regions, too.
        call.backend.index_materials(key)
    if material.valid_to is not None:
        expire_when_due(call.backend, key, material)
    response = {"KeyId": key.arn}
    if key.spec.is_symmetric_encryption:
        response["KeyMaterialId"] = material.id.hex()
    return response


def _unwrap(issued: ImportParameters, parameters: Response) -> SecretBytes:
    key_pair: rsa.RsaKey = issued.wrapping_key
    try:
        return SecretBytes(key_pair.unwrap(issued.algorithm, parameters["EncryptedKeyMaterial"]))
    except DecryptionFailed as reason:
        raise errors.InvalidCiphertextException(
            explanation=f"EncryptedKeyMaterial cannot be unwrapped with {issued.algorithm}, the "
            f"algorithm that the import token was issued for: {reason}"
        ) from None


def _read_import_request(call: Call, key: Key) -> ImportRequest:
    parameters = call.parameters
    valid_to = parameters.get("ValidTo")
    model = parameters.get("ExpirationModel", _EXPIRES)
    if model == _EXPIRES and valid_to is None:
        raise errors.ValidationException(
            "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
        )
    if model == _NEVER and valid_to is not None:
        raise errors.ValidationException(
            "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE"
        )
    if valid_to is not None:
        if valid_to <= call.now:
            raise errors.ValidationException(
                "ValidTo must be in the future",
                explanation=f"The time of KMS is {call.now:%Y-%m-%d %H:%M:%S} UTC, that of "
                "kms.clock.now(), and not always that of datetime.now().",
            )
        if valid_to - call.now > _LONGEST_VALIDITY:
            raise errors.ValidationException("ValidTo must be less than 365 days in the future")
        valid_to = valid_to.replace(microsecond=0)
    if not key.spec.is_symmetric_encryption:
        for member in ("ImportType", "KeyMaterialId", "KeyMaterialDescription"):
            if member in parameters:
                raise errors.ValidationException(
                    f"Input parameter {member[0].lower()}{member[1:]} cannot be used with "
                    f"{key.spec.name} imported keys."
                )
    if "KeyMaterialDescription" in parameters and key.is_replica:
        raise errors.ValidationException(
            "Key material description can only be specified on primary Multi-Region keys"
        )
    material_id = parameters.get("KeyMaterialId")
    return ImportRequest(
        parameters.get("ImportType"),
        bytes.fromhex(material_id) if material_id else None,
        parameters.get("KeyMaterialDescription"),
        model,
        valid_to,
    )


@operation(
    "DeleteImportedKeyMaterial",
    Target("kms:DeleteImportedKeyMaterial", by_id_or_arn("KeyId"), _SETTLED),
    precheck=_require_external,
    trail=write_event("KeyId", "KeyMaterialId", shows=(CHANGED_KEY_ARN, "KeyMaterialId")),
    quota=per_second(15),
)
def delete_imported_key_material(call: Call, key: Key) -> Response:
    """Delete imported key material; the key is unusable until the same material is reimported."""
    material_id = call.parameters.get("KeyMaterialId")
    material = material_import.delete_material(
        key, bytes.fromhex(material_id) if material_id else None
    )
    response = {"KeyId": key.arn}
    if material is not None and key.spec.is_symmetric_encryption:
        response["KeyMaterialId"] = material.id.hex()
    return response
