"""What can go wrong with models, as errors that say what to do."""

from __future__ import annotations


class ModelError(ValueError):
    """A model cannot be built, loaded or used as asked."""


class MissingWeightsError(ModelError):
    """Weights or their description are not where they were looked for."""


class BackboneMismatchError(ModelError):
    """Weights were made for another backbone, or a backbone cannot serve here."""


class ControlMismatchError(ModelError):
    """Weights were trained on a control that is encoded in another way."""


class ModelInputError(ModelError):
    """A video, latents, prompts or a control that the model cannot take."""
