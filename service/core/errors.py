"""Domain errors: facts and a hint how to mend them, never an HTTP code."""


class YanpanError(Exception):
    """Something the caller or the operator can mend.

    Attributes:
        code: stable key that other programs may branch on.
        detail: what is wrong, in Chinese, without any text of the message itself.
        hint: what to do about it, in Chinese.
    """

    code = "error"

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(f"{detail}{hint}")
        self.detail = detail
        self.hint = hint


class EmptyTextError(YanpanError):
    """The message holds no character that could be judged."""

    code = "text_empty"


class TextTooLongError(YanpanError):
    """The message is longer than the contract allows."""

    code = "text_too_long"


class PolicyError(YanpanError):
    """A policy bundle that cannot be used; the detail names the file and the key or line."""

    code = "policy_invalid"


class BundleError(YanpanError):
    """A model bundle that cannot be used; the detail names the file."""

    code = "model_invalid"


class SampleError(YanpanError):
    """Labelled samples that cannot be read; the detail names the file and the line."""

    code = "samples_invalid"
