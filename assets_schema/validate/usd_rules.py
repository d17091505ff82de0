"""S4D801: the validators that USD itself ships since 25.5, as optional extra rules."""

from __future__ import annotations

from pxr import Tf

from .asset import AssetUnderTest

# What they say of any asset of ours is covered by a code above, or wrong for library assets.
_COVERED = ("StageMetadataChecker", "CompositionErrorTest", "ExtentsChecker")


class UnusableOptionError(ValueError):
    """An option that the installed USD cannot honour."""


def check_with_usd(asset: AssetUnderTest) -> None:
    """Run every registered UsdValidation validator on the stage as composed now.

    Raises:
        UnusableOptionError: when the installed USD has no UsdValidation for Python (before 25.5),
            or cannot load its validators.
    """
    try:
        from pxr import UsdValidation  # type: ignore[attr-defined] # newer than the type stubs
    except ImportError as error:
        raise UnusableOptionError(
            "UsdValidation needs USD 25.5 or later; leave --usd-rules out on this one"
        ) from error
    try:
        validators = [
            validator
            for validator in UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
            if not validator.GetMetadata().name.endswith(_COVERED)
        ]
    except Tf.ErrorException as error:  # the wheel of 25.5.1 ships the names without the libraries
        raise UnusableOptionError(
            "this build of USD cannot load its own validators; leave --usd-rules out on this one"
        ) from error
    for found in UsdValidation.ValidationContext(validators).Validate(asset.stage):
        sites = found.GetSites()
        path = str(sites[0].GetPrim().GetPath()) if sites and sites[0].IsPrim() else ""
        asset.report("S4D801", f"{found.GetIdentifier()}: {found.GetMessage()}", path)
